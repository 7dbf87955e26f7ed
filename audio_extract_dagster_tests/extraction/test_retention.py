"""What is too old goes, and the account of the day stays; whatever interrupts it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, Table, text, update

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.database.ledger import accounts, records, waiting
from audio_extract_dagster.database.ledger.calls import calls_of_day, is_open, next_calls
from audio_extract_dagster.database.ledger.records import Asked
from audio_extract_dagster.database.locks import LockLost, day_lock
from audio_extract_dagster.database.tables import agent_calls, audio_records, conversations
from audio_extract_dagster.extraction.retention import ExpiredDay, expire, first_day_kept
from audio_extract_dagster.extraction.verification import (
    Difference,
    verify_day,
    verify_with_genesys,
)
from audio_extract_dagster.genesys import RecordingMetadata
from audio_extract_dagster.model import Reason, StoredPart, StoredRecording
from audio_extract_dagster.storage import FolderStorage, StorageUnavailable, audio_key, audio_stem
from audio_extract_dagster_tests.builders import DAY, NOW, add_calls, call, rows
from audio_extract_dagster_tests.fake_clock import FakeClock

SCHEMA = "audio_extract"
NEXT_DAY = DAY + timedelta(days=1)
_DETAILS: dict[Table, dict[str, object]] = {
    agent_calls: {"ani": "tel:+51999", "dnis": "tel:+511"},
    conversations: {"payload": {"participants": []}},
}


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "audio")


@pytest.fixture
def store(engine: Engine, storage: FolderStorage) -> Callable[..., StoredRecording]:
    """Gives an agent call a recording whose file is there."""

    def store(
        conversation_id: str, day: date = DAY, ended_at: datetime | None = NOW
    ) -> StoredRecording:
        this = call(conversation_id, ended_at=ended_at)
        add_calls(engine, this, day=day)
        with storage.stage(f"{day:%Y/%m/%d}/{conversation_id}/r") as staged:
            staged.write(conversation_id.encode())
            staged.hash(conversation_id.encode())
            key = audio_key(audio_stem(day, conversation_id, "r", 0), "ogg")
            file = storage.commit(staged, key, content_type="audio/ogg")
        part = StoredPart(0, file.uri, "audio/ogg", file.size_bytes, file.sha256, 60.0)
        recording = StoredRecording(conversation_id, "r", (part,))
        with engine.begin() as connection:
            asked = Asked(day, None, NOW)
            records.write_stored(connection, asked, [recording], {conversation_id: this})
            for table, details in _DETAILS.items():
                of_call = table.c.conversation_id == conversation_id
                connection.execute(update(table).where(of_call).values(details))
        return recording

    return store


def run(engine: Engine, storage: FolderStorage, before: date = NEXT_DAY) -> list[ExpiredDay]:
    return list(expire(engine, SCHEMA, storage, before, FakeClock(NOW)))


def files(storage: FolderStorage) -> list[str]:
    return [key for key, _ in storage.list("")]


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


class BreaksAfter(FolderStorage):
    """A storage that goes away after so many deletions."""

    def __init__(self, root: Path, deletions: int) -> None:
        super().__init__(root)
        self._left = deletions

    def delete(self, key: str) -> None:
        if not self._left:
            raise StorageUnavailable("The storage went away.")
        self._left -= 1
        super().delete(key)


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


def test_what_a_kill_left_without_a_row_goes_too(
    engine: Engine, storage: FolderStorage, store: Callable[..., StoredRecording]
) -> None:
    store("c-1")
    store("c-2", NEXT_DAY)
    (storage.root / audio_key(audio_stem(DAY, "c-1", "killed", 0), "ogg")).write_bytes(b"OggS")
    [done] = run(engine, storage)
    assert (done.files, done.bytes) == (2, 7)
    assert [key[:10] for key in files(storage)] == [f"{NEXT_DAY:%Y/%m/%d}"]


def test_a_share_that_is_not_mounted_loses_no_row(
    engine: Engine, storage: FolderStorage, store: Callable[..., StoredRecording]
) -> None:
    store("c-1")
    before = rows(engine, audio_records), rows(engine, conversations)
    storage.root.rename(storage.root.with_name("elsewhere"))
    with pytest.raises(StorageUnavailable, match="is empty"):
        run(engine, storage)
    assert (rows(engine, audio_records), rows(engine, conversations)) == before


def test_what_has_no_row_is_found_by_the_next_pass_too(
    engine: Engine, storage: FolderStorage, store: Callable[..., StoredRecording]
) -> None:
    store("c-1")
    stray = storage.root / audio_key(audio_stem(DAY, "c-1", "killed", 0), "ogg")
    for deletions in range(2):
        stray.write_bytes(b"OggS")
        with pytest.raises(StorageUnavailable):
            run(engine, BreaksAfter(storage.root, deletions))
    [done] = run(engine, storage)
    assert done.files == 1
    assert files(storage) == []


class LosesTheDay(FolderStorage):
    """While it lists the files of the day, another run takes the day."""

    def __init__(self, root: Path, lose: Callable[[], None]) -> None:
        super().__init__(root)
        self._lose = lose

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        found = list(super().list(prefix))
        if prefix:
            self._lose()
        return iter(found)


@pytest.mark.parametrize("still_has_it", [True, False])
def test_files_without_a_row_stay_once_another_run_had_the_day(
    engine: Engine,
    storage: FolderStorage,
    store: Callable[..., StoredRecording],
    still_has_it: bool,
) -> None:
    """They may be its own: it names files before it writes their rows."""
    store("c-1")
    stray = storage.root / audio_key(audio_stem(DAY, "c-1", "new", 0), "ogg")
    stray.write_bytes(b"OggS")
    with ExitStack() as other_run:

        def lose() -> None:
            with engine.connect() as connection:
                connection.execute(text(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks JOIN pg_database d"
                    " ON d.oid = database"
                    " WHERE locktype = 'advisory' AND datname = current_database()"
                ))  # fmt: skip
            other_run.enter_context(day_lock(engine, SCHEMA, DAY))
            if not still_has_it:
                other_run.close()

        with pytest.raises(LockLost):
            run(engine, LosesTheDay(storage.root, lose))
    assert len(files(storage)) == 2


def test_a_folder_under_another_name_keeps_the_files_that_rows_claim(
    engine: Engine, storage: FolderStorage, store: Callable[..., StoredRecording]
) -> None:
    store("c-1")
    renamed = storage.root.with_name("renamed")
    renamed.symlink_to(storage.root)
    [done] = run(engine, FolderStorage(renamed))
    assert (done.files, done.elsewhere) == (0, 1)
    assert len(files(storage)) == 1
