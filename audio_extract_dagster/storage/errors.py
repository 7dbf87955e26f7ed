"""What can go wrong where audio is kept, by what a person can do about it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from audio_extract_dagster.errors import AudioExtractError, Never, TryAgain


class StorageFull(TryAgain):
    """No room (or no quota) for another file; making room is enough, nothing is lost."""


class StorageUnavailable(TryAgain):
    """The storage does not answer as it should: a mount that went away, a disk or network error."""


class StorageRefused(Never):
    """The storage exists but does not let us: rights, a read-only mount, a file in the way."""


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
}


@contextmanager
def disk_errors(place: str) -> Iterator[None]:
    """Turn an `OSError` of the block into one of the errors above; `place` says where it was."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, place) from error


def disk_error(error: OSError, place: str) -> AudioExtractError:
    """One of the errors above, for an `OSError` that happened in `place`."""
    cause = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in _FULL:
        return StorageFull(
            f"There is no room left for audio in {place} ({cause}). Make room or raise the quota; "
            "what is not stored is fetched by the next run."
        )
    if error.errno in _REFUSED:
        return StorageRefused(
            f"Audio cannot be kept in {place} ({cause}). Give this account the right to write "
            "there, or set AUDIO_STORAGE_URI to a place where it may."
        )
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return StorageUnavailable(
            f"No more files can be opened at once, so none in {place} ({cause}). Raise the limit "
            "of open files (`ulimit -n`), or lower DOWNLOAD_CONCURRENCY."
        )
    return StorageUnavailable(
        f"The audio storage {place} does not work at the moment ({cause}). See whether the disk "
        "or share that AUDIO_STORAGE_URI names is there and sound."
    )
