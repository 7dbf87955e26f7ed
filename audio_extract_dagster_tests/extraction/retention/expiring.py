"""A pass of retention, what it leaves, and a storage that breaks."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import Engine

from audio_extract_dagster.extraction.retention import ExpiredDay, expire
from audio_extract_dagster.storage import FolderStorage, StorageUnavailable
from audio_extract_dagster_tests.builders import DAY, NOW
from audio_extract_dagster_tests.fake_clock import FakeClock

SCHEMA = "audio_extract"
NEXT_DAY = DAY + timedelta(days=1)


def run(engine: Engine, storage: FolderStorage, before: date = NEXT_DAY) -> list[ExpiredDay]:
    return list(expire(engine, SCHEMA, storage, before, FakeClock(NOW)))


def files(storage: FolderStorage) -> list[str]:
    return [key for key, _ in storage.list("")]


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
