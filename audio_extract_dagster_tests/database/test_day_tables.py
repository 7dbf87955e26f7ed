"""A day's rows are replaced whole or not at all, and only where they differ."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import date, timezone
from threading import Event, Thread
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, QueuePool, select, text

from audio_extract_dagster.database.connection import DatabaseUnavailable
from audio_extract_dagster.database.copy_text import CannotEncode
from audio_extract_dagster.database.day_tables import (
    DayRows,
    DayWritten,
    WrongRows,
    read_day,
    replace_day,
    stream_day,
)
from audio_extract_dagster.database.tables import (
    agent_calls,
    conversations,
    daily_report,
    day_counts,
)
from audio_extract_dagster_tests.database.rows import (
    COLUMNS,
    FRIDAY,
    NOON,
    SATURDAY,
    add_audio_record,
    conversation,
    failing_after,
    stored_conversations,
    stream,
)
from audio_extract_dagster_tests.postgres import Server


def versions(engine: Engine) -> dict[str, tuple[str, str]]:
    """Where each row is and who locked it: the same again means that it was not touched."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT conversation_id, ctid, xmax FROM conversations"))
        return {key: (str(place), str(locked)) for key, place, locked in rows}


def counts_of(engine: Engine, day: date = FRIDAY) -> Any:
    with engine.connect() as connection:
        return connection.scalar(
            select(day_counts.c.counts).where(
                day_counts.c.asset == "conversations", day_counts.c.call_date == day
            )
        )


def test_a_stream_becomes_the_day(engine: Engine) -> None:
    rows = [conversation("a"), conversation("b", has_agent=False, excluded_reason="no_agent")]
    written = replace_day(engine, conversations, FRIDAY, stream(rows, {"hits": 2}))
    assert written == DayWritten(row_count=2, kept=0, counts={"hits": 2})
    assert stored_conversations(engine) == rows
    assert counts_of(engine) == {"hits": 2, "kept": 0}


def test_the_same_again_touches_nothing(engine: Engine) -> None:
    rows = [conversation("a"), conversation("b")]
    replace_day(engine, conversations, FRIDAY, stream(rows))
    before = versions(engine)
    assert replace_day(engine, conversations, FRIDAY, stream(rows)).row_count == 2
    assert versions(engine) == before


def test_only_what_differs_is_written(engine: Engine) -> None:
    replace_day(
        engine,
        conversations,
        FRIDAY,
        stream([conversation("a"), conversation("b"), conversation("c", payload={"n": 1})]),
    )
    before = versions(engine)
    changed = [
        conversation("a"),
        conversation("b", conversation_end=NOON),
        conversation("c", payload={"n": 2}),
        conversation("d"),
    ]
    replace_day(engine, conversations, FRIDAY, stream(changed))
    assert stored_conversations(engine) == changed
    after = versions(engine)
    assert after["a"] == before["a"]
    assert after["b"] != before["b"]
    assert after["c"] != before["c"]


def test_what_is_no_longer_listed_goes(engine: Engine) -> None:
    replace_day(engine, conversations, FRIDAY, stream([conversation("a"), conversation("b")]))
    replace_day(engine, conversations, FRIDAY, stream([conversation("b")]))
    assert stored_conversations(engine) == [conversation("b")]
    replace_day(engine, conversations, FRIDAY, stream([]))
    assert stored_conversations(engine) == []


def test_a_call_with_audio_stays(engine: Engine) -> None:
    rows = [conversation("a"), conversation("b"), conversation("c")]
    replace_day(engine, conversations, FRIDAY, stream(rows))
    add_audio_record(engine, "a")
    written = replace_day(engine, conversations, FRIDAY, stream([rows[1]], {"hits": 1}))
    assert written == DayWritten(row_count=1, kept=1, counts={"hits": 1})
    assert stored_conversations(engine) == [rows[0], rows[1]]
    assert counts_of(engine) == {"hits": 1, "kept": 1}


def test_a_call_with_audio_is_updated_like_any_other(engine: Engine) -> None:
    replace_day(engine, conversations, FRIDAY, stream([conversation("a")]))
    add_audio_record(engine, "a")
    closed = conversation("a", conversation_end=NOON)
    assert replace_day(engine, conversations, FRIDAY, stream([closed])).kept == 0
    assert stored_conversations(engine) == [closed]


def test_other_days_are_not_concerned(engine: Engine) -> None:
    saturday = conversation("s", SATURDAY)
    replace_day(engine, conversations, SATURDAY, stream([saturday], {"hits": 1}))
    replace_day(engine, conversations, FRIDAY, stream([conversation("a")], {"hits": 1}))
    replace_day(engine, conversations, FRIDAY, stream([], {"hits": 0}))
    assert stored_conversations(engine) == [saturday]
    assert counts_of(engine, SATURDAY) == {"hits": 1, "kept": 0}


def test_a_row_can_move_to_the_day(engine: Engine) -> None:
    """As when TIMEZONE was corrected."""
    replace_day(engine, conversations, SATURDAY, stream([conversation("a", SATURDAY)]))
    replace_day(engine, conversations, FRIDAY, stream([conversation("a")]))
    assert stored_conversations(engine) == [conversation("a")]


def test_a_stream_that_fails_changes_nothing(engine: Engine) -> None:
    old = [conversation("a"), conversation("b")]
    replace_day(engine, conversations, FRIDAY, stream(old, {"hits": 2}))
    many = [conversation(f"n-{number}") for number in range(2000)]
    failing = DayRows(COLUMNS, failing_after(many, ConnectionError("page 21")))
    with pytest.raises(ConnectionError, match="page 21"):
        replace_day(engine, conversations, FRIDAY, failing)
    assert stored_conversations(engine) == old
    assert counts_of(engine) == {"hits": 2, "kept": 0}


def test_accounting_that_fails_changes_nothing(engine: Engine) -> None:
    def does_not_close() -> dict[str, object]:
        raise ArithmeticError("hits do not add up")

    rows = DayRows(COLUMNS, iter([conversation("a")]), does_not_close)
    with pytest.raises(ArithmeticError):
        replace_day(engine, conversations, FRIDAY, rows)
    assert stored_conversations(engine) == []


def test_the_accounting_is_asked_for_after_the_last_row(engine: Engine) -> None:
    seen = 0

    def counting() -> Iterator[tuple[Any, ...]]:
        nonlocal seen
        for number in range(1200):
            seen += 1
            yield conversation(f"c-{number:04}")

    written = replace_day(
        engine, conversations, FRIDAY, DayRows(COLUMNS, counting(), lambda: {"seen": seen})
    )
    assert written.counts == {"seen": 1200}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([conversation("a"), conversation("b", SATURDAY)], "1 of the rows"),
        ([conversation("a"), conversation("a")], "repeat a key"),
        ([conversation("a"), conversation("a", conversation_end=NOON)], "repeat a key"),
    ],
)
def test_rows_that_cannot_be_the_days_are_refused(
    engine: Engine, rows: list[tuple[Any, ...]], message: str
) -> None:
    for _ in range(2):
        with pytest.raises(WrongRows, match=message):
            replace_day(engine, conversations, FRIDAY, stream(rows))
    assert stored_conversations(engine) == []


def test_a_repeated_key_is_refused_also_if_nothing_differs(engine: Engine) -> None:
    replace_day(engine, conversations, FRIDAY, stream([conversation("a")]))
    with pytest.raises(WrongRows, match="repeat a key"):
        replace_day(engine, conversations, FRIDAY, stream([conversation("a")] * 2))


def test_columns_must_be_the_tables(engine: Engine) -> None:
    with pytest.raises(WrongRows, match="no column colour"):
        replace_day(engine, conversations, FRIDAY, DayRows(["colour"], iter([])))
    with pytest.raises(WrongRows, match="lack call_date, conversation_id"):
        replace_day(engine, conversations, FRIDAY, DayRows(["payload"], iter([])))


def test_a_value_that_does_not_fit_changes_nothing(engine: Engine) -> None:
    replace_day(engine, conversations, FRIDAY, stream([conversation("a")]))
    naive = conversation("b", conversation_start="2024-01-05")
    with pytest.raises(CannotEncode, match=r"conversations\.conversation_start"):
        replace_day(engine, conversations, FRIDAY, stream([conversation("a"), naive]))
    assert stored_conversations(engine) == [conversation("a")]


def cut_all_other_connections(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def test_a_stream_that_fails_is_the_cause_also_if_the_connection_is_cut(engine: Engine) -> None:
    def cutting() -> Iterator[tuple[Any, ...]]:
        yield conversation("a")
        cut_all_other_connections(engine)
        raise KeyError("the stream's own")

    with pytest.raises(KeyError, match="the stream's own"):
        replace_day(engine, conversations, FRIDAY, DayRows(COLUMNS, cutting()))
    assert stored_conversations(engine) == []


def test_a_cut_connection_may_come_back(engine: Engine) -> None:
    def cutting() -> Iterator[tuple[Any, ...]]:
        yield conversation("a")
        cut_all_other_connections(engine)
        for number in range(5000):
            yield conversation(f"c-{number}")

    with pytest.raises(DatabaseUnavailable):
        replace_day(engine, conversations, FRIDAY, DayRows(COLUMNS, cutting()))
    replace_day(engine, conversations, FRIDAY, stream([conversation("a")]))
    assert stored_conversations(engine) == [conversation("a")]


def test_readers_see_the_old_day_until_the_new_one_is_whole(engine: Engine) -> None:
    replace_day(engine, conversations, FRIDAY, stream([conversation("old")]))
    seen: list[Any] = []

    def looking() -> Iterator[tuple[Any, ...]]:
        yield from (conversation(f"new-{number}") for number in range(1000))
        seen.extend(stored_conversations(engine))

    replace_day(engine, conversations, FRIDAY, DayRows(COLUMNS, looking()))
    assert seen == [conversation("old")]


def test_two_writers_of_a_day_take_turns(engine: Engine) -> None:
    first_has_begun, go_on = Event(), Event()

    def slow() -> Iterator[tuple[Any, ...]]:
        yield from (conversation(f"first-{number}") for number in range(600))
        first_has_begun.set()
        assert go_on.wait(10)

    def write_second() -> None:
        replace_day(engine, conversations, FRIDAY, stream([conversation("second")]))

    first = Thread(
        target=replace_day, args=(engine, conversations, FRIDAY, DayRows(COLUMNS, slow()))
    )
    second = Thread(target=write_second)
    first.start()
    assert first_has_begun.wait(10)
    second.start()
    go_on.set()
    first.join()
    second.join()
    assert stored_conversations(engine) == [conversation("second")]


def report(day: date = FRIDAY, **changes: Any) -> pd.DataFrame:
    row = {
        "call_date": day,
        **dict.fromkeys(
            ["conversations", "agent_calls", "excluded", "stored", "pending", "missing"], 1
        ),
        **dict.fromkeys(["failed", "ignored", "bytes", "requests"], 0),
        "audio_minutes": 1.5,
        "wait_seconds": 0.0,
        "reasons": {"not_answered": 1},
        **changes,
    }
    frame: pd.DataFrame = pd.DataFrame([row])
    return frame


def test_a_frame_becomes_the_day(engine: Engine) -> None:
    assert replace_day(engine, daily_report, FRIDAY, report()).row_count == 1
    replace_day(engine, daily_report, FRIDAY, report(stored=7))
    back = read_day(engine, daily_report, [FRIDAY])
    assert back.loc[0, "stored"] == 7
    assert back.loc[0, "reasons"] == '{"not_answered": 1}'
    assert back.loc[0, "call_date"] == FRIDAY


def test_a_frame_of_a_new_day_obeys_the_rules_of_a_stream(engine: Engine) -> None:
    """Though it goes straight into the table."""

    def frame(*rows: tuple[Any, ...]) -> pd.DataFrame:
        made: pd.DataFrame = pd.DataFrame(rows, columns=list(COLUMNS))
        return made

    replace_day(engine, conversations, SATURDAY, frame(conversation("a", SATURDAY)))
    for rows, message in (
        ([conversation("b"), conversation("c", SATURDAY)], "1 of the rows"),
        ([conversation("b"), conversation("b")], "repeat a key"),
    ):
        with pytest.raises(WrongRows, match=message):
            replace_day(engine, conversations, FRIDAY, frame(*rows))
        assert stored_conversations(engine) == [conversation("a", SATURDAY)]
    replace_day(engine, conversations, FRIDAY, frame(conversation("a"), conversation("b")))
    assert stored_conversations(engine) == [conversation("a"), conversation("b")]


def test_a_frame_is_typed_also_without_rows(engine: Engine) -> None:
    frame = read_day(engine, agent_calls, [FRIDAY])
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "conversation_id": "string",
        "call_date": "object",
        "conversation_start": "datetime64[us, UTC]",
        "direction": "string",
        "agent_ids": "object",
        "answered": "boolean",
        "ani": "string",
        "dnis": "string",
        "talk_ms": "Int64",
        "hold_ms": "Int64",
        "acw_ms": "Int64",
        "handle_ms": "Int64",
        "queue_id": "string",
        "wrap_up_code": "string",
        "disconnect_type": "string",
        "recording_sessions": "Int64",
        "ended_at": "datetime64[us, UTC]",
    }
    replace_day(engine, daily_report, FRIDAY, report())
    report_frame = read_day(engine, daily_report, [FRIDAY])
    assert str(report_frame["audio_minutes"].dtype) == "Float64"
    assert report_frame.loc[0, "audio_minutes"] == 1.5


def test_a_frame_read_and_written_is_the_same_day(engine: Engine) -> None:
    rows = [
        conversation("a"),
        conversation("b", conversation_end=NOON, queue_ids=[], excluded_reason="", payload={}),
        conversation("c", originating_direction=None),
    ]
    replace_day(engine, conversations, FRIDAY, stream(rows))
    before = versions(engine)
    frame = read_day(engine, conversations, [FRIDAY])
    replace_day(engine, conversations, FRIDAY, frame)
    assert versions(engine) == before
    assert frame["conversation_end"].isna().tolist() == [True, False, True]
    assert frame.loc[1, "excluded_reason"] == ""
    assert frame.loc[0, "queue_ids"] == ["q-1", "q-2"]


def test_days_are_read_by_key_and_not_as_a_span(engine: Engine) -> None:
    monday = date(2024, 1, 8)
    for day in (FRIDAY, SATURDAY, monday):
        rows = [conversation(f"{day}-{number}", day) for number in range(2)]
        replace_day(engine, conversations, day, stream(rows))
    chosen = stream_day(engine, conversations, [monday, FRIDAY], ["call_date", "conversation_id"])
    assert list(chosen) == [
        (day, f"{day}-{number}") for day in (FRIDAY, monday) for number in range(2)
    ]
    assert list(stream_day(engine, conversations, [])) == []


def test_a_stream_holds_its_connection_until_it_is_closed(engine: Engine) -> None:
    rows = [conversation(f"c-{number}") for number in range(10)]
    replace_day(engine, conversations, FRIDAY, stream(rows))
    reading = stream_day(engine, conversations, [FRIDAY])
    assert next(reading) == rows[0]
    assert isinstance(engine.pool, QueuePool)
    assert engine.pool.checkedout() == 1
    reading.close()
    assert engine.pool.checkedout() == 0


def test_memory_does_not_grow_with_the_day(engine: Engine) -> None:
    def peak(number_of_rows: int) -> int:
        rows = (conversation(f"c-{n}", payload={"x": "y" * 2000}) for n in range(number_of_rows))
        tracemalloc.start()
        replace_day(engine, conversations, FRIDAY, DayRows(COLUMNS, rows))
        for _ in stream_day(engine, conversations, [FRIDAY], ["conversation_id"]):
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(100)  # what is loaded once
    assert peak(8000) < 1.5 * peak(2000)


keys = st.sampled_from("abcdefgh")
# What a conversation's row may change in: an agent, an end, a payload.
days = st.dictionaries(
    keys,
    st.tuples(
        st.booleans(),
        st.none() | st.datetimes(timezones=st.just(timezone.utc)),
        st.dictionaries(st.sampled_from("xyz"), st.integers() | st.text("é\\\n"), max_size=2),
    ),
)


def as_rows(day: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        conversation(key, has_agent=has_agent, conversation_end=end, payload=payload)
        for key, (has_agent, end, payload) in sorted(day.items())
    ]


@pytest.fixture(scope="module")
def shared(postgres_server: Server) -> Iterator[Engine]:
    with postgres_server.database() as database:
        yield database.engine


@settings(max_examples=50)
@given(old=days, new=days, with_audio=st.sets(keys), fails=st.booleans())
def test_the_rules_of_replacing_hold_always(
    shared: Engine, old: dict[str, Any], new: dict[str, Any], with_audio: set[str], fails: bool
) -> None:
    with shared.begin() as connection:
        connection.execute(text("TRUNCATE conversations, audio_records"))
    old_rows, new_rows = as_rows(old), as_rows(new)
    replace_day(shared, conversations, FRIDAY, stream(old_rows))
    for key in with_audio & old.keys():
        add_audio_record(shared, key)

    if fails:
        before = versions(shared)
        failing = DayRows(COLUMNS, failing_after(new_rows, KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            replace_day(shared, conversations, FRIDAY, failing)
        assert versions(shared) == before
        return

    protected = with_audio & (old.keys() - new.keys())
    written = replace_day(shared, conversations, FRIDAY, stream(new_rows))
    assert (written.row_count, written.kept) == (len(new), len(protected))
    expected = {row[0]: row for row in old_rows if row[0] in protected}
    expected |= {row[0]: row for row in new_rows}
    assert stored_conversations(shared) == [expected[key] for key in sorted(expected)]
    before = versions(shared)
    replace_day(shared, conversations, FRIDAY, stream(new_rows))
    assert versions(shared) == before
