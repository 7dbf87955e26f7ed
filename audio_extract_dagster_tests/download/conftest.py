"""A file host, a folder for audio, and a downloader between them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from audio_extract_dagster.download.downloader import Downloader
from audio_extract_dagster.download.policy import DownloadPolicy
from audio_extract_dagster.storage import FolderStorage
from audio_extract_dagster_tests.download.file_server import FileServer
from audio_extract_dagster_tests.fake_clock import FakeClock


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "audio")


@pytest.fixture
def downloader(storage: FolderStorage, clock: FakeClock) -> Iterator[Downloader]:
    # One connection: a fault that kept it would stop the next fetch.
    policy = DownloadPolicy(idle_seconds=0.25)
    with Downloader(storage, clock=clock, policy=policy) as one:
        yield one


@pytest.fixture(autouse=True)
def _nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert "s3cret" not in caplog.text
