"""A file on its way into a storage: written under a temporary name, counted, hashed piece by piece.

It stays open until the storage takes it, so that it can be looked at and synced without another way
through the folders.

What a storage then does with it (a rename, an upload) is the storage's business.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from audio_extract_dagster.storage.errors import (
    StorageFull,
    StorageRefused,
    StorageUnavailable,
    disk_errors,
)

TEMPORARY_SUFFIX = ".part"

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_WINDOW_BYTES = 256 * 1024
# So much of its beginning is kept while a file is written: the headers of most.
_HEAD_BYTES = 64 * 1024


class Content:
    """The bytes of a file that is open, to be sliced as if they were in memory.

    A part of them is, from the beginning `head`: a look at the headers of a file costs no read or
    one. With many threads at work each call of the system is paid with a wait for the interpreter.
    """

    def __init__(self, number: int, size: int, head: bytes = b"") -> None:
        self._number = number
        self._size = size
        self._window = memoryview(head)
        self._start = 0

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(self._size)
        stop = max(start, stop)
        if start < self._start or stop > self._start + len(self._window):
            self._read(start, max(stop - start, _WINDOW_BYTES))
        return bytes(self._window[start - self._start : stop - self._start])

    def _read(self, start: int, count: int) -> None:
        os.lseek(self._number, start, os.SEEK_SET)
        window = b""
        # A network share may give less at once.
        while more := os.read(self._number, count - len(window)):
            window += more
        self._start, self._window = start, memoryview(window)


class Staged:
    """A temporary file; as a context manager it is gone at the end unless it got its name.

    For one thread at a time.
    """

    def __init__(self, path: str, number: int) -> None:
        self.size_bytes = 0
        #: The folder it lies in, to be named when something goes wrong.
        self.place = os.path.dirname(path)
        self._path = path
        self._head = b""
        self._number: int | None = number
        self._complete = False
        self._hash = hashlib.sha256()
        self._hashed_bytes = 0
        self._renamed = False

    @classmethod
    def create(cls, folder: str, name: str) -> Staged:
        """A new file in `folder` (which exists) that nobody else has, readable by us alone.

        Several attempts at one name may be under way at once, hence the random piece in it.
        """
        path = os.path.join(folder, f"{name}.{secrets.token_hex(8)}{TEMPORARY_SUFFIX}")
        return cls(path, os.open(path, _NEW, 0o600))

    @property
    def path(self) -> Path:
        """Where the file is as long as it has no name of its own."""
        return Path(self._path)

    @property
    def sha256(self) -> str:
        """Of what has been written so far, in hex."""
        if self._hashed_bytes != self.size_bytes:
            raise ValueError(f"{self._path} has pieces that were written and not hashed")
        return self._hash.hexdigest()

    def write(self, chunk: bytes | memoryview) -> None:
        """Append; `StorageFull` and its siblings when the disk refuses.

        What is written must be hashed, too: a step of its own, because it waits for no disk.
        """
        if self._complete:
            raise ValueError(f"{self._path} has been looked at: nothing can be added")
        remaining = memoryview(chunk)
        with disk_errors(self.place):
            while remaining:
                remaining = remaining[os.write(self._open(), remaining) :]
        if not self.size_bytes:
            self._head = bytes(chunk[:_HEAD_BYTES])
        self.size_bytes += len(chunk)

    def hash(self, chunk: bytes | memoryview) -> None:
        """Take the piece that was written last into the checksum."""
        self._hash.update(chunk)
        self._hashed_bytes += len(chunk)

    def content(self) -> Content:
        """What has been written, as long as the file is open; nothing can be added after it."""
        self._complete = True  # looking moves the place where the next write would go
        return Content(self._open(), self.size_bytes, self._head)

    def sync(self) -> None:
        """Have the content on the disk when this returns, so that a power cut cannot lose it."""
        with disk_errors(self.place):
            os.fsync(self._open())

    def close(self) -> None:
        """Hand everything to the operating system, so that `path` can be read or renamed."""
        number, self._number = self._number, None
        if number is not None:
            with disk_errors(self.place):
                os.close(number)

    def rename(self, path: str) -> None:
        """Give the file its own name, over a file that has it; nothing is left to discard."""
        os.replace(self._path, path)
        self._renamed = True

    def discard(self) -> None:
        """Remove the temporary file, whatever state it is in."""
        if self._renamed:
            return
        # What cannot be removed now is removed by the next run of the day.
        with contextlib.suppress(StorageUnavailable, StorageFull, StorageRefused):
            self.close()
        with contextlib.suppress(OSError):
            os.unlink(self._path)

    def _open(self) -> int:
        if self._number is None:
            raise ValueError(f"{self._path} is closed")
        return self._number

    def __enter__(self) -> Staged:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()
