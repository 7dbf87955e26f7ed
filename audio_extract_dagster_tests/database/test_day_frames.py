"""Days as DataFrames, and days that are read."""

from __future__ import annotations

import tracemalloc
from datetime import date
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, QueuePool

from audio_extract_dagster.database.day_tables import (
    DayRows,
    WrongRows,
    read_day,
    replace_day,
    stream_day,
)
from audio_extract_dagster.database.tables import (
    agent_calls,
    conversations,
    daily_report,
)
from audio_extract_dagster_tests.database.rows import (
    COLUMNS,
    FRIDAY,
    NOON,
    SATURDAY,
    conversation,
    stored_conversations,
    stream,
    versions,
)


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
