"""Files that no row claims: what a kill left goes, what another run makes stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from audio_extract_dagster.database.locks import LockLost, day_lock
from audio_extract_dagster.database.tables import audio_records, conversations
from audio_extract_dagster.model import StoredRecording
from audio_extract_dagster.storage import FolderStorage, StorageUnavailable, audio_key, audio_stem
from audio_extract_dagster_tests.builders import DAY, rows
from audio_extract_dagster_tests.extraction.retention.expiring import (
    NEXT_DAY,
    SCHEMA,
    BreaksAfter,
    files,
    run,
)


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
