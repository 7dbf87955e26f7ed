"""Is the storage there at all? A share that is not mounted looks like an empty folder."""

from __future__ import annotations

from audio_extract_dagster.storage.base import AudioStorage
from audio_extract_dagster.storage.errors import StorageUnavailable


def refuse_if_empty(storage: AudioStorage) -> None:
    """Raise `StorageUnavailable` if there is no file at all, where rows say that some are stored.

    For whoever is about to write down that files are gone.
    """
    if next(iter(storage.list("")), None) is None:
        raise StorageUnavailable(
            f"The audio storage {storage!r} is empty, though files are recorded as stored in it: "
            "nothing is changed. See whether the disk, share or bucket that AUDIO_STORAGE_URI "
            "names is the right one and is mounted. If all audio is really lost, run a day that "
            "has no audio yet, and then this again."
        )
