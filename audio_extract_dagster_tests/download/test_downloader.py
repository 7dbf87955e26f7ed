from __future__ import annotations

import gzip
import hashlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from audio_extract_dagster.download.audio_file import AudioFile
from audio_extract_dagster.download.downloader import Downloader
from audio_extract_dagster.download.errors import (
    TransferBroken,
    WrongBody,
)
from audio_extract_dagster.download.policy import DownloadPolicy
from audio_extract_dagster.errors import TryAgain
from audio_extract_dagster.storage import FolderStorage, audio_stem
from audio_extract_dagster_tests.audio_bytes import ogg, wav
from audio_extract_dagster_tests.download.fetching import (
    AUDIO,
    DAY,
    HTML,
    STEM,
    fetch,
    refusal,
)
from audio_extract_dagster_tests.download.file_server import (
    Answer,
    FileServer,
    chunked,
    drip,
    file,
    reset,
    stall,
    status,
    truncated,
)
from audio_extract_dagster_tests.fake_clock import FakeClock


def test_a_file_is_fetched_looked_at_and_stored(
    server: FileServer, downloader: Downloader, storage: FolderStorage
) -> None:
    url = server.link("/a", file(AUDIO))
    with downloader.receive(url, STEM, "audio/ogg; codecs=opus") as received:
        assert received.key == f"{STEM}.ogg"
        assert received.audio == AudioFile("audio/ogg", "ogg", 60.0)
        got = downloader.keep(received)
    assert got.uri == storage.uri(received.key)
    assert (got.size_bytes, got.sha256) == (len(AUDIO), hashlib.sha256(AUDIO).hexdigest())
    assert (storage.root / received.key).read_bytes() == AUDIO


def test_nothing_that_identifies_us_goes_with_a_link(
    server: FileServer, downloader: Downloader
) -> None:
    fetch(downloader, server.link("/a", file(AUDIO)), STEM, "audio/ogg")
    (request,) = server.requests
    assert request.method == "GET"
    assert request.path == "/a?X-Amz-Signature=s3cret"
    assert set(request.headers) == {"host", "accept-encoding", "user-agent"}


def test_the_extension_follows_the_bytes(server: FileServer, downloader: Downloader) -> None:
    got = fetch(downloader, server.link("/a", file(wav())), STEM, "audio/ogg")
    assert got.uri.endswith(".wav")


def test_a_connection_is_used_again(server: FileServer, downloader: Downloader) -> None:
    for number in range(3):
        url = server.link(f"/{number}", file(AUDIO))
        fetch(downloader, url, audio_stem(DAY, "call-1", "recording-1", number), "audio/ogg")
    assert len({request.connection for request in server.requests}) == 1


def test_a_body_without_a_length(server: FileServer, downloader: Downloader) -> None:
    assert fetch(downloader, server.link("/a", chunked(AUDIO)), STEM, None).size_bytes == len(AUDIO)


def test_a_body_that_was_compressed_on_the_way(server: FileServer, downloader: Downloader) -> None:
    answer = status(200, gzip.compress(AUDIO), content_encoding="gzip")
    got = fetch(downloader, server.link("/a", answer), STEM, "audio/ogg")
    assert got.sha256 == hashlib.sha256(AUDIO).hexdigest()


def test_threads_share_connections(
    server: FileServer, storage: FolderStorage, clock: FakeClock
) -> None:
    with Downloader(storage, clock=clock) as downloader:

        def fetch_one(number: int) -> str:
            content = ogg(48_000 + number, pages=20)
            url = server.link(f"/{number}", file(content))
            stem = audio_stem(DAY, f"call-{number}", "recording-1", 0)
            assert fetch(downloader, url, stem, "audio/ogg").size_bytes == len(content)
            return stem

        with ThreadPoolExecutor(12) as threads:
            stems = set(threads.map(fetch_one, range(60)))
    assert {f"{stem}.ogg" for stem in stems} == {key for key, _ in storage.list("")}
    assert len({request.connection for request in server.requests}) <= 12


# What passes


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (truncated(AUDIO, 1), "cut_short"),
        (truncated(AUDIO, len(AUDIO)), "cut_short"),
        (chunked(AUDIO, whole=False), "connection_lost"),
        (reset(), "connection_lost"),
        (reset(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nOggS"), "connection_lost"),
        (reset(b"nonsense\r\n\r\n"), "connection_lost"),
        (status(500), "server_error"),
        (status(503, HTML), "server_error"),
        (status(408), "server_error"),
        (status(206, AUDIO), "server_error"),
        (file(HTML, "text/html"), "html_page"),
        (file(b""), "empty"),
        (file(AUDIO[:-1]), "cut_short"),
        (file(b"nothing that is audio at all"), "unknown_format"),
    ],
)
def test_a_broken_or_wrong_body_is_fetched_three_times(
    server: FileServer,
    downloader: Downloader,
    storage: FolderStorage,
    clock: FakeClock,
    fault: Answer,
    word: str,
) -> None:
    again = server.link("/again", fault, fault, file(AUDIO))
    assert fetch(downloader, again, STEM, "audio/ogg").size_bytes == len(AUDIO)
    assert clock.sleeps == [1.0, 2.0]
    assert len(server.requests) == 3
    storage.delete(f"{STEM}.ogg")
    downloader.close()  # the connection that was good for the last fetch

    never = server.link("/never", fault)
    error = refusal(downloader, storage, never, TryAgain)
    assert isinstance(error, (TransferBroken, WrongBody))
    assert error.reason == word
    assert "127.0.0.1" in str(error)
    assert len(server.requests) == 6
    assert downloader.seconds == 6.0  # of pauses: the clock stands still otherwise


def test_who_is_canceled_tries_nothing_again(
    server: FileServer, downloader: Downloader, clock: FakeClock
) -> None:
    canceled = threading.Event()
    canceled.set()
    for fault in (status(500), file(HTML), status(429, retry_after="60")):
        url = server.link("/a", fault)
        with (
            pytest.raises((TransferBroken, WrongBody)),
            downloader.receive(url, STEM, None, canceled),
        ):
            pass
    assert len(server.requests) == 3
    assert clock.sleeps == []


@pytest.mark.parametrize("slow", [stall(AUDIO, 0), stall(AUDIO, 20_000), drip(AUDIO)])
def test_a_transfer_that_stands_still_or_nearly_so_is_broken(
    server: FileServer, storage: FolderStorage, clock: FakeClock, slow: Answer
) -> None:
    policy = DownloadPolicy(idle_seconds=0.25, tries=1)
    with Downloader(storage, clock=clock, policy=policy) as impatient:
        error = refusal(impatient, storage, server.link("/a", slow), TransferBroken)
    assert error.reason == "timed_out"
    assert "less than 1,000 bytes a second" in str(error)


def test_a_kept_connection_that_has_died_costs_no_try(
    server: FileServer, downloader: Downloader, clock: FakeClock
) -> None:
    fetch(downloader, server.link("/a", file(AUDIO)), STEM, "audio/ogg")
    url = server.link("/b", reset(), file(AUDIO))
    fetch(downloader, url, audio_stem(DAY, "call-1", "recording-2", 0), "audio/ogg")
    assert clock.sleeps == []
    assert len(server.requests) == 3


def test_nobody_listens(downloader: Downloader, storage: FolderStorage) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a?X-Amz-Signature=s3cret"
        assert refusal(downloader, storage, url, TransferBroken).reason == "unreachable"
