"""The files that `audio_records` claims, and its calls, read for whole days."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from sqlalchemy import Engine

from audio_extract_dagster.database.ledger import inventory, records
from audio_extract_dagster.database.ledger.calls import calls_of_day
from audio_extract_dagster.database.ledger.inventory import FileRow
from audio_extract_dagster.database.ledger.records import Asked
from audio_extract_dagster.model import KnownRecord, Reason, RecordStatus
from audio_extract_dagster_tests.builders import DAY, NOW, add_calls, call, recording
from audio_extract_dagster_tests.database.ledger_records import give

EARLIER = date(2026, 3, 9)
STORED, MISSING = RecordStatus.STORED, RecordStatus.MISSING


@pytest.fixture
def calls(engine: Engine) -> None:
    """Three calls of the day, the first with two recordings, and one of the day before."""
    of_day = [call(f"c-{n}") for n in (1, 2, 3)]
    add_calls(engine, *of_day)
    add_calls(engine, call("c-0"), day=EARLIER)
    stored = [recording("r-2", "c-1", parts=[1, 2]), recording("r-1", "c-1")]
    with engine.begin() as connection:
        records.write_stored(connection, Asked(DAY, "b-1", NOW), stored, {"c-1": of_day[0]})


@pytest.mark.usefixtures("calls")
def test_the_files_of_a_day_come_by_their_uris(engine: Engine) -> None:
    give(engine, {"r-1": Reason.UPLOADING}, "c-2")
    with engine.connect() as connection:
        assert list(inventory.stored_files(connection, DAY)) == [
            FileRow("c-1", recording_id, f"file:///{recording_id}-{part}", 1000, "ab" * 32)
            for recording_id, part in (("r-1", 0), ("r-2", 1), ("r-2", 2))
        ]
        assert list(inventory.stored_files(connection, EARLIER)) == []


@pytest.mark.usefixtures("calls")
def test_the_newest_files_are_those_of_the_last_days(engine: Engine) -> None:
    with engine.begin() as connection:
        assert sorted(inventory.newest_files(connection, 9)) == [
            "file:///r-1-0", "file:///r-2-1", "file:///r-2-2"
        ]  # fmt: skip
        earlier = [recording("old", "c-0")]
        records.write_stored(connection, Asked(EARLIER, "b-1", NOW), earlier, {"c-0": call("c-0")})
        assert "file:///old-0" not in inventory.newest_files(connection, 3)
        assert "file:///old-0" in inventory.newest_files(connection, 4)


@pytest.mark.usefixtures("calls")
def test_every_call_of_a_day_comes_with_what_is_known_of_it(engine: Engine) -> None:
    give(engine, {"": Reason.NOT_ANSWERED}, "c-2")
    with engine.connect() as connection:
        found = calls_of_day(connection, DAY)
    known = {each.conversation_id: Counter(each.records) for each in found}
    assert known == {
        "c-1": {KnownRecord("r-1", STORED, 1, NOW): 1, KnownRecord("r-2", STORED, 1, NOW): 2},
        "c-2": {KnownRecord("", MISSING, 1, NOW): 1},
        "c-3": {},
    }
