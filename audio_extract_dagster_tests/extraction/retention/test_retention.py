"""What is too old goes, and the account of the day stays; whatever interrupts it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, update

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.database.ledger import accounts, records, waiting
from audio_extract_dagster.database.ledger.calls import calls_of_day, is_open, next_calls
from audio_extract_dagster.database.ledger.records import Asked
from audio_extract_dagster.database.locks import day_lock
from audio_extract_dagster.database.tables import agent_calls, audio_records, conversations
from audio_extract_dagster.extraction.retention import ExpiredDay, first_day_kept
from audio_extract_dagster.extraction.verification import (
    Difference,
    verify_day,
    verify_with_genesys,
)
from audio_extract_dagster.genesys import RecordingMetadata
from audio_extract_dagster.model import Reason, StoredRecording
from audio_extract_dagster.storage import FolderStorage, StorageUnavailable
from audio_extract_dagster_tests.builders import DAY, NOW, add_calls, call, rows
from audio_extract_dagster_tests.extraction.retention.expiring import (
    SCHEMA,
    BreaksAfter,
    files,
    run,
)


def test_audio_and_details_go_and_the_account_stays(
    engine: Engine, storage: FolderStorage, store: Callable[..., StoredRecording]
) -> None:
    first = store("c-1").parts[0]
    store("c-22")
    with engine.connect() as connection:
        before = accounts.count_day(connection, DAY)
    assert run(engine, storage) == [ExpiredDay(DAY, files=2, bytes=7, payloads=2)]
    assert files(storage) == []
    row = rows(engine, audio_records)[0]
    kept = (row["status"], row["reason"], row["uri"], row["size_bytes"], row["sha256"])
    assert kept == ("MISSING", "retention", None, first.size_bytes, first.sha256)
    assert [each["payload"] for each in rows(engine, conversations)] == [{}, {}]
    assert [(each["ani"], each["dnis"]) for each in rows(engine, agent_calls)] == [(None, None)] * 2
    with engine.connect() as connection:
        after = accounts.count_day(connection, DAY)
    assert (after.conversations, after.agent_calls) == (before.conversations, before.agent_calls)
    assert (after.stored, after.missing, after.bytes) == (0, 2, 0)
    assert list(verify_day(engine, storage, DAY)) == []
    assert run(engine, storage) == []


def test_what_has_gone_is_not_asked_for_when_its_call_ends(
    engine: Engine, storage: FolderStorage, store: Callable[..., StoredRecording]
) -> None:
    store("c-1", ended_at=None)
    with engine.begin() as connection:
        records.mark_more(connection, [], ["c-1"], NOW)
    run(engine, storage)
    with engine.begin() as connection:
        connection.execute(update(agent_calls).values(ended_at=NOW))
        assert next_calls(connection, DAY, 10) == []
        assert waiting.calls_to_look_at(connection) == []
        (found,) = calls_of_day(connection, DAY)
    assert not is_open(found)


def test_younger_days_are_not_touched(
    engine: Engine, storage: FolderStorage, store: Callable[..., StoredRecording]
) -> None:
    store("c-1")
    assert run(engine, storage, before=DAY) == []
    assert len(files(storage)) == 1


def test_what_is_open_or_missing_keeps_its_reason(engine: Engine, storage: FolderStorage) -> None:
    add_calls(engine, call("c-1"))
    with engine.begin() as connection:
        records.write_reasons(
            connection, Asked(DAY, None, NOW), [(call("c-1"), {"r": Reason.UPLOADING})]
        )
    run(engine, storage)
    [row] = rows(engine, audio_records)
    assert (row["status"], row["reason"]) == ("PENDING", "uploading")


@pytest.mark.parametrize("deletions", [0, 1, 2])
def test_the_next_pass_finishes_what_broke(
    engine: Engine,
    storage: FolderStorage,
    store: Callable[..., StoredRecording],
    deletions: int,
) -> None:
    for name in ("c-1", "c-2", "c-3"):
        store(name)
    with pytest.raises(StorageUnavailable):
        run(engine, BreaksAfter(storage.root, deletions))
    assert files(storage), "nothing was left to finish"
    # The rows say already what goes, so nothing is asked for again and nothing is called lost.
    found = {finding.difference for finding in verify_day(engine, storage, DAY)}
    assert found == {Difference.FILE_WITHOUT_ROW}
    [done] = run(engine, storage)
    assert done.files == 3
    assert files(storage) == []
    assert list(verify_day(engine, storage, DAY)) == []


def test_a_day_at_work_is_left_to_the_next_pass(
    engine: Engine, storage: FolderStorage, store: Callable[..., StoredRecording]
) -> None:
    store("c-1")
    with day_lock(engine, SCHEMA, DAY):
        assert run(engine, storage) == [ExpiredDay(DAY, busy=True)]
    assert len(files(storage)) == 1


def test_files_of_another_storage_stay_and_are_told(
    engine: Engine,
    storage: FolderStorage,
    store: Callable[..., StoredRecording],
    tmp_path: Path,
) -> None:
    store("c-1")
    [done] = run(engine, FolderStorage(tmp_path / "elsewhere"))
    assert (done.files, done.elsewhere) == (0, 1)
    assert [row["status"] for row in rows(engine, audio_records)] == ["STORED"]
    assert len(files(storage)) == 1


class Everything:
    """A Genesys Cloud that still has what was deleted here."""

    def recording_metadata(self, conversation_id: str) -> list[RecordingMetadata]:
        assert conversation_id
        return [RecordingMetadata(id="r", media="audio", file_state="AVAILABLE")]


def test_a_deep_verification_does_not_bring_it_back(
    engine: Engine, storage: FolderStorage, store: Callable[..., StoredRecording]
) -> None:
    store("c-1")
    run(engine, storage)
    assert list(verify_with_genesys(engine, Everything(), DAY)) == []
    with engine.connect() as connection:
        assert next_calls(connection, DAY, 10) == []


def test_the_age_is_counted_in_business_days_of_the_time_zone() -> None:
    days = BusinessDays(ZoneInfo("America/Lima"), date(2024, 1, 1))
    evening = datetime(2026, 3, 11, 4, 59, tzinfo=timezone.utc)
    assert first_day_kept(days, evening, 8) == date(2026, 3, 2)
    assert first_day_kept(days, evening + timedelta(minutes=1), 8) == date(2026, 3, 3)
