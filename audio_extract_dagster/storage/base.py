"""What the project asks of a place that keeps audio, be it a folder or a bucket.

Nothing here knows Genesys, the database or how a file was fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from audio_extract_dagster.storage.staged import Staged


@dataclass(frozen=True)
class StoredFile:
    """A file that is in its place, whole and durable."""

    #: `AudioStorage.uri` of its key.
    uri: str
    size_bytes: int
    sha256: str


class AudioStorage(Protocol):
    """Files by key (see `keys.py`). Safe for threads.

    Every method may raise `StorageFull`, `StorageUnavailable` or `StorageRefused`; a key that would
    leave the storage is a `ValueError`.

    A storage that does not answer is an error. One that is not there may look empty instead: a
    share that is not mounted is an empty folder, and to a file in a bucket that is gone Google says
    what it says to one that never was. Whoever is about to write down that files are gone asks
    `refuse_if_empty` (`presence.py`) before.
    """

    def stage(self, stem: str) -> Staged:
        """A temporary file to write the bytes of `stem` (a key, extension not known yet) into.

        It is the caller's: whoever does not commit it discards it.
        """

    def commit(self, staged: Staged, key: str, *, content_type: str) -> StoredFile:
        """Give the staged file its name; when this returns, a power cut no longer loses it.

        Readers see no file or a whole one, never a piece. It takes the place of a file that has the
        name: whether that one may go is for the caller to know. `staged` is synced and closed here;
        discarding it stays with the caller.
        """

    def stat(self, key: str) -> int | None:
        """Size in bytes, None if there is no such file."""

    def sha256(self, key: str) -> str | None:
        """Of the content as it is read now, in hex; None if there is no such file."""

    def delete(self, key: str) -> None:
        """Remove the file; fine if there is none."""

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Keys that start with `prefix` and their sizes in bytes; temporary files left out.

        In the order of the keys, compared byte by byte as UTF-8.
        """

    def remove_temporary(self, call_date: date) -> int:
        """Remove what dead runs of the day left half-written; returns how many files.

        Only whoever holds the day's lock may call this: live downloads look the same.
        """

    def uri(self, key: str) -> str:
        """Where a key is, for people and other programs: `file:///…` or `gs://…`."""

    def key_of(self, uri: str) -> str:
        """The key in `uri(key)`; `ValueError` for a URI of another storage.

        Rows keep URIs for years: a storage that has moved knows nothing of those of its old place.
        """

    def check(self) -> str:
        """One line about the state of the storage; raises if it could not take a file.

        Leaves nothing behind.
        """
