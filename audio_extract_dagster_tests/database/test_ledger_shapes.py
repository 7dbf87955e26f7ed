"""The shape of a day: calls by hour, recordings by status and by length."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine

from audio_extract_dagster.database.ledger import records, shapes
from audio_extract_dagster.database.ledger.records import Asked
from audio_extract_dagster.database.ledger.shapes import LONGEST_MINUTES
from audio_extract_dagster.model import DayShape, Reason, RecordStatus, StoredRecording
from audio_extract_dagster_tests.builders import DAY, NOW, START, add_calls, call, recording


def shape(engine: Engine, day: date = DAY, zone: str = "America/Lima") -> DayShape:
    with engine.connect() as connection:
        return shapes.day_shape(connection, day, zone)


def lasting(recording_id: str, seconds: float | None) -> StoredRecording:
    """A recording of c-1 that is so long, or does not tell."""
    whole = recording(recording_id)
    return replace(whole, parts=(replace(whole.parts[0], duration_seconds=seconds),))


@pytest.mark.parametrize(("zone", "hour"), [("America/Lima", 9), ("UTC", 14), ("Asia/Tokyo", 23)])
def test_calls_are_counted_by_the_hour_of_the_business(
    engine: Engine, zone: str, hour: int
) -> None:
    add_calls(engine, call("c-1"), call("c-2", conversation_start=START + timedelta(minutes=59)))
    add_calls(engine, call("c-3", conversation_start=START + timedelta(minutes=60)))
    by_hour = shape(engine, zone=zone).calls_by_hour
    assert len(by_hour) == 24
    assert {n: count for n, count in enumerate(by_hour) if count} == {hour: 2, (hour + 1) % 24: 1}


def test_the_last_hour_of_the_business_is_the_last_bar(engine: Engine) -> None:
    last = datetime(2026, 3, 11, 4, 59, 59, 999_999, tzinfo=timezone.utc)
    add_calls(engine, call("c-1", conversation_start=last))
    assert shape(engine).calls_by_hour[23] == 1


def test_recordings_are_counted_by_status_and_full_minutes(engine: Engine) -> None:
    asked = call("c-1")
    add_calls(engine, asked)
    lengths = {"r-1": 0.0, "r-2": 59.999, "r-3": 60.0, "r-4": 1800.0, "r-5": 7200.0, "r-6": None}
    stored = [lasting(recording_id, seconds) for recording_id, seconds in lengths.items()]
    reasons = {"r-7": Reason.UPLOADING, "r-8": Reason.DELETED, "r-9": Reason.ARCHIVED}
    with engine.begin() as connection:
        records.write_stored(connection, Asked(DAY, "b-1", NOW), stored, {"c-1": asked})
        records.write_reasons(connection, Asked(DAY, "b-1", NOW), [(asked, reasons)])

    found = shape(engine)

    assert found.records_by_status == {
        RecordStatus.STORED: 6,
        RecordStatus.PENDING: 1,
        RecordStatus.MISSING: 2,
        RecordStatus.FAILED: 0,
    }
    by_minutes = found.recordings_by_minutes
    assert len(by_minutes) == LONGEST_MINUTES + 1
    assert {n: count for n, count in enumerate(by_minutes) if count} == {0: 2, 1: 1, 30: 2}


def test_a_day_of_which_nothing_is_known_is_flat(engine: Engine) -> None:
    add_calls(engine, call("c-1"))
    empty = shape(engine, date(2026, 3, 9))
    assert sum(empty.calls_by_hour) == sum(empty.recordings_by_minutes) == 0
    assert empty.records_by_status == dict.fromkeys(RecordStatus, 0)
