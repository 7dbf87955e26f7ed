"""A day's rows are replaced whole or not at all, and only where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from audio_extract_dagster.database.copy_text import CannotEncode
from audio_extract_dagster.database.day_tables import (
    DayRows,
    DayWritten,
    WrongRows,
    replace_day,
)
from audio_extract_dagster.database.tables import (
    conversations,
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
    versions,
)
from audio_extract_dagster_tests.postgres import Server


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
