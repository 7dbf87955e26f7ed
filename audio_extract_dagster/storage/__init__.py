"""Where audio lives: a folder or a bucket, chosen by `AUDIO_STORAGE_URI`.

This file only chooses. What any storage must do is in `base.py`, names are in `keys.py`.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from audio_extract_dagster.errors import Never
from audio_extract_dagster.storage.base import AudioStorage, StoredFile
from audio_extract_dagster.storage.errors import (
    StorageFull,
    StorageRefused,
    StorageUnavailable,
)
from audio_extract_dagster.storage.folder import FolderStorage
from audio_extract_dagster.storage.keys import audio_key, audio_stem, day_prefix
from audio_extract_dagster.storage.presence import key_in, refuse_if_empty, refuse_if_lost
from audio_extract_dagster.storage.staged import Staged

__all__ = [
    "AudioStorage",
    "FolderStorage",
    "Staged",
    "StorageFull",
    "StorageRefused",
    "StorageUnavailable",
    "StoredFile",
    "UnknownStorage",
    "audio_key",
    "audio_stem",
    "day_prefix",
    "key_in",
    "open_storage",
    "refuse_if_empty",
    "refuse_if_lost",
]


class UnknownStorage(Never):
    """`AUDIO_STORAGE_URI` names no place this project can keep audio in."""


def open_storage(uri: str, *, project: str | None = None) -> AudioStorage:
    """The storage that `AUDIO_STORAGE_URI` names; touches neither disk nor network.

    `project` (`PROJECT_ID`) is for buckets.
    """
    parts = urlsplit(uri)
    # `C:\\audio` is a Windows path, not a scheme of one letter.
    if len(parts.scheme) <= 1:
        return FolderStorage(Path(uri))
    # The path of a URI ends there: audio would go to another place, and nobody would be told.
    whole = not {"?", "#"} & set(uri)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and whole:
        return FolderStorage(Path(url2pathname(parts.path)))
    if parts.scheme == "gs" and parts.netloc and whole:
        return _bucket(parts.netloc, parts.path, project)
    raise UnknownStorage(
        f"AUDIO_STORAGE_URI is {uri!r}, which is neither a folder (data/audio, /srv/audio, "
        "file:///srv/audio) nor a bucket (gs://bucket/prefix). A URI has neither ? nor #."
    )


def _bucket(name: str, prefix: str, project: str | None) -> AudioStorage:
    try:
        # Imported late: it is an extra, and takes half a second.
        from audio_extract_dagster.storage.bucket import BucketStorage  # noqa: PLC0415
    except ImportError as error:
        raise UnknownStorage(
            "AUDIO_STORAGE_URI names a bucket, and the library for it is not installed: "
            "pip install 'audio-extract[gcs]'"
        ) from error
    return BucketStorage(name, prefix, project=project)
