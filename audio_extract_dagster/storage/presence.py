"""Is the storage there at all? A share that is not mounted looks like an empty folder."""

from __future__ import annotations

from collections.abc import Iterable

from audio_extract_dagster.storage.base import AudioStorage
from audio_extract_dagster.storage.errors import StorageUnavailable


def refuse_if_empty(storage: AudioStorage) -> None:
    """Raise `StorageUnavailable` if there is no file at all, where rows say that some are stored.

    For whoever is about to write down that files are gone, or to write others in their stead.
    """
    if next(iter(storage.list("")), None) is None:
        raise StorageUnavailable(
            f"The audio storage {storage!r} is empty, though files are recorded as stored in it: "
            "nothing is changed. See whether the disk, share or bucket that AUDIO_STORAGE_URI "
            "names is the right one and is mounted. If all audio is really lost, put any file "
            "there, and do this again."
        )


def refuse_if_lost(storage: AudioStorage, uris: Iterable[str]) -> None:
    """Raise `StorageUnavailable` if none of these files is there any more, nor any other.

    That one of them is there is soon told. URIs of another storage say nothing of this one.
    """
    keys = [key for uri in uris if (key := key_in(storage, uri)) is not None]
    if keys and all(storage.stat(key) is None for key in keys):
        refuse_if_empty(storage)


def key_in(storage: AudioStorage, uri: str) -> str | None:
    """The key of a URI, None for one of another storage."""
    try:
        return storage.key_of(uri)
    except ValueError:
        return None
