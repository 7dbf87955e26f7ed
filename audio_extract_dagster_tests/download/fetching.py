"""What is fetched in these tests, and what a fetch that fails has to leave: nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TypeVar

import pytest

from audio_extract_dagster.download.downloader import Downloader
from audio_extract_dagster.storage import FolderStorage, StoredFile, audio_stem
from audio_extract_dagster_tests.audio_bytes import ogg

DAY = date(2026, 3, 11)
E = TypeVar("E", bound=Exception)

STEM = audio_stem(DAY, "call-1", "recording-1", 0)
AUDIO = ogg(48_000 * 60 + 312, pages=80)
HTML = b"<!DOCTYPE html><html>Please sign in</html>"
EXPIRED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"


def fetch(
    downloader: Downloader, url: str, stem: str, declared_content_type: str | None
) -> StoredFile:
    """Receive a file and keep it."""
    with downloader.receive(url, stem, declared_content_type) as received:
        return downloader.keep(received)


def leftovers(storage: FolderStorage) -> list[Path]:
    return [path for path in storage.root.rglob("*") if path.is_file()]


def refusal(downloader: Downloader, storage: FolderStorage, url: str, kind: type[E]) -> E:
    """The error of a fetch that leaves nothing behind and says nothing secret."""
    with pytest.raises(kind) as caught:
        fetch(downloader, url, STEM, "audio/ogg")
    assert leftovers(storage) == []
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value
