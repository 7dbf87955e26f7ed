"""What may be at work at once when several files come in."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from audio_extract_dagster.download.downloader import Downloader
from audio_extract_dagster.storage import Staged, audio_stem
from audio_extract_dagster_tests.download.fetching import AUDIO, DAY, fetch
from audio_extract_dagster_tests.download.file_server import FileServer, file


def test_one_file_is_hashed_while_another_one_is_written(
    server: FileServer, downloader: Downloader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first hash and the second write wait for each other."""
    meeting, writes, hashes = threading.Barrier(2, timeout=10), count(1), count(1)
    write, take_in = Staged.write, Staged.hash

    def meet_second(staged: Staged, piece: bytes) -> None:
        if next(writes) == 2:
            meeting.wait()
        write(staged, piece)

    def meet_first(staged: Staged, piece: bytes) -> None:
        if next(hashes) == 1:
            meeting.wait()
        take_in(staged, piece)

    monkeypatch.setattr(Staged, "write", meet_second)
    monkeypatch.setattr(Staged, "hash", meet_first)

    def fetch_one(number: int) -> int:
        url = server.link(f"/{number}", file(AUDIO))
        stem = audio_stem(DAY, f"call-{number}", "recording-1", 0)
        return fetch(downloader, url, stem, "audio/ogg").size_bytes

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(fetch_one, range(2))) == [len(AUDIO)] * 2
