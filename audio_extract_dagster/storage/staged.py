"""A file on its way into a storage: written under a temporary name, counted and hashed as it goes.

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
from types import TracebackType
from typing import BinaryIO

from audio_extract_dagster.storage.errors import disk_error, disk_errors

TEMPORARY_SUFFIX = ".part"

_BUFFER_BYTES = 64 * 1024


class Staged:
    """A temporary file; as a context manager it is gone at the end unless it was committed.

    For one thread at a time.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.size_bytes = 0
        self._file = file
        self._hash = hashlib.sha256()

    @classmethod
    def create(cls, folder: Path, name: str) -> Staged:
        """A new file in `folder` (which exists) that nobody else has, readable by us alone.

        Several attempts at one name may be under way at once, hence the random piece in it.
        """
        path = folder / f"{name}.{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
        return cls(path, open(path, "x+b", _BUFFER_BYTES, opener=_ours_alone))

    @property
    def sha256(self) -> str:
        """Of what has been written so far, in hex."""
        return self._hash.hexdigest()

    def write(self, chunk: bytes | memoryview) -> None:
        """Append; `StorageFull` and its siblings when the disk refuses."""
        try:
            self._file.write(chunk)
        except OSError as error:
            raise disk_error(error, str(self.path.parent)) from error
        self._hash.update(chunk)
        self.size_bytes += len(chunk)

    def content(self) -> BinaryIO:
        """What has been written, to be read from its beginning; nothing can be added after it."""
        with disk_errors(str(self.path.parent)):
            self._file.seek(0)
        return self._file

    def sync(self) -> None:
        """Have the content on the disk when this returns, so that a power cut cannot lose it."""
        with disk_errors(str(self.path.parent)):
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Hand everything to the operating system, so that `path` can be read or renamed."""
        with disk_errors(str(self.path.parent)):
            self._file.close()

    def discard(self) -> None:
        """Remove the temporary file, whatever state it is in; after a commit there is none."""
        # What cannot be removed now is removed by the next run of the day.
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Staged:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.discard()


def _ours_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
