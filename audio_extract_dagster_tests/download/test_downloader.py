from __future__ import annotations

import gzip
import hashlib
import logging
import shutil
import socket
import ssl
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from audio_extract_dagster.download.downloader import DownloadCounters, Downloader
from audio_extract_dagster.download.errors import (
    LinkExpired,
    TransferBroken,
    UnsafeLink,
    WrongBody,
)
from audio_extract_dagster.download.policy import DownloadPolicy
from audio_extract_dagster.errors import Never, TryAgain
from audio_extract_dagster.storage import FolderStorage, StorageRefused, audio_stem
from audio_extract_dagster_tests.audio_bytes import ogg, wav
from audio_extract_dagster_tests.download.file_server import (
    Answer,
    FileServer,
    chunked,
    file,
    reset,
    stall,
    status,
    truncated,
)
from audio_extract_dagster_tests.fake_clock import FakeClock

DAY = date(2026, 3, 11)
E = TypeVar("E", bound=Exception)

STEM = audio_stem(DAY, "call-1", "recording-1", 0)
AUDIO = ogg(48_000 * 60 + 312, pages=80)
HTML = b"<!DOCTYPE html><html>Please sign in</html>"
EXPIRED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"


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


def leftovers(storage: FolderStorage) -> list[Path]:
    return [path for path in storage.root.rglob("*") if path.is_file()]


def refusal(downloader: Downloader, storage: FolderStorage, url: str, kind: type[E]) -> E:
    """The error of a fetch that leaves nothing behind and says nothing secret."""
    with pytest.raises(kind) as caught:
        downloader.fetch(url, STEM, "audio/ogg")
    assert leftovers(storage) == []
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


def test_a_file_is_fetched_looked_at_and_stored(
    server: FileServer, downloader: Downloader, storage: FolderStorage
) -> None:
    url = server.link("/a", file(AUDIO))
    got = downloader.fetch(url, STEM, "audio/ogg; codecs=opus")
    assert got.key == f"{STEM}.ogg"
    assert got.uri == storage.uri(got.key)
    assert (got.size_bytes, got.sha256) == (len(AUDIO), hashlib.sha256(AUDIO).hexdigest())
    assert (got.content_type, got.extension, got.duration_seconds) == ("audio/ogg", "ogg", 60.0)
    assert (storage.root / got.key).read_bytes() == AUDIO
    assert downloader.counters == DownloadCounters(files=1, bytes=len(AUDIO), tries=1)


def test_nothing_that_identifies_us_goes_with_a_link(
    server: FileServer, downloader: Downloader
) -> None:
    downloader.fetch(server.link("/a", file(AUDIO)), STEM, "audio/ogg")
    (request,) = server.requests
    assert request.method == "GET"
    assert request.path == "/a?X-Amz-Signature=s3cret"
    assert set(request.headers) == {"host", "accept-encoding", "user-agent"}


def test_the_extension_follows_the_bytes(server: FileServer, downloader: Downloader) -> None:
    assert downloader.fetch(server.link("/a", file(wav())), STEM, "audio/ogg").extension == "wav"


def test_a_connection_is_used_again(server: FileServer, downloader: Downloader) -> None:
    for number in range(3):
        url = server.link(f"/{number}", file(AUDIO))
        downloader.fetch(url, audio_stem(DAY, "call-1", "recording-1", number), "audio/ogg")
    assert len({request.connection for request in server.requests}) == 1


def test_a_body_without_a_length(server: FileServer, downloader: Downloader) -> None:
    assert downloader.fetch(server.link("/a", chunked(AUDIO)), STEM, None).size_bytes == len(AUDIO)


def test_a_body_that_was_compressed_on_the_way(server: FileServer, downloader: Downloader) -> None:
    answer = status(200, gzip.compress(AUDIO), content_encoding="gzip")
    got = downloader.fetch(server.link("/a", answer), STEM, "audio/ogg")
    assert got.sha256 == hashlib.sha256(AUDIO).hexdigest()


def test_threads_share_the_connections_and_no_more_than_agreed(
    server: FileServer, storage: FolderStorage, clock: FakeClock
) -> None:
    with Downloader(storage, clock=clock) as downloader:

        def fetch(number: int) -> str:
            content = ogg(48_000 + number, pages=20)
            url = server.link(f"/{number}", file(content))
            stem = audio_stem(DAY, f"call-{number}", "recording-1", 0)
            assert downloader.fetch(url, stem, "audio/ogg").size_bytes == len(content)
            return stem

        with ThreadPoolExecutor(12) as threads:
            stems = set(threads.map(fetch, range(60)))
    assert {f"{stem}.ogg" for stem in stems} == {key for key, _ in storage.list("")}
    assert server.most_at_once <= 4
    assert downloader.counters.files == downloader.counters.tries == 60


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
    assert downloader.fetch(again, STEM, "audio/ogg").size_bytes == len(AUDIO)
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
    assert downloader.counters.tries == 6
    assert downloader.counters.wait_seconds == 6.0


@pytest.mark.parametrize("first", [0, 20_000])
def test_a_transfer_that_stands_still_is_broken(
    server: FileServer, storage: FolderStorage, clock: FakeClock, first: int
) -> None:
    policy = DownloadPolicy(idle_seconds=0.25, tries=1)
    with Downloader(storage, clock=clock, policy=policy) as impatient:
        url = server.link("/a", stall(AUDIO, first))
        assert refusal(impatient, storage, url, TransferBroken).reason == "timed_out"


def test_a_kept_connection_that_has_died_costs_no_try(
    server: FileServer, downloader: Downloader, clock: FakeClock
) -> None:
    downloader.fetch(server.link("/a", file(AUDIO)), STEM, "audio/ogg")
    url = server.link("/b", reset(), file(AUDIO))
    downloader.fetch(url, audio_stem(DAY, "call-1", "recording-2", 0), "audio/ogg")
    assert clock.sleeps == []
    assert downloader.counters.tries == 2
    assert len(server.requests) == 3


def test_nobody_listens(downloader: Downloader, storage: FolderStorage) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a?X-Amz-Signature=s3cret"
        assert refusal(downloader, storage, url, TransferBroken).reason == "unreachable"


# What asks for patience


@pytest.mark.parametrize("code", [429, 503])
def test_a_host_that_asks_to_wait_is_obeyed_and_it_is_no_try(
    server: FileServer, downloader: Downloader, clock: FakeClock, code: int
) -> None:
    busy = status(code, retry_after="7")
    url = server.link("/a", busy, busy, busy, busy, file(AUDIO))
    downloader.fetch(url, STEM, "audio/ogg")
    assert clock.sleeps == [7.0] * 4


def test_a_host_that_names_an_hour_of_the_day(
    server: FileServer, downloader: Downloader, clock: FakeClock
) -> None:
    # libcurl reads it, by the clock of this machine.
    when = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=120), usegmt=True)
    url = server.link("/a", status(429, retry_after=when), file(AUDIO))
    downloader.fetch(url, STEM, "audio/ogg")
    (pause,) = clock.sleeps
    assert 60 < pause <= 120


@pytest.mark.parametrize("header", [{}, {"retry_after": "soon"}])
def test_a_host_that_does_not_say_how_long(
    server: FileServer, downloader: Downloader, clock: FakeClock, header: dict[str, Any]
) -> None:
    busy = status(429, **header)
    downloader.fetch(server.link("/a", busy, busy, busy, file(AUDIO)), STEM, "audio/ogg")
    assert clock.sleeps == [1.0, 2.0, 4.0]


def test_patience_with_one_wait_ends(
    server: FileServer, downloader: Downloader, storage: FolderStorage, clock: FakeClock
) -> None:
    url = server.link("/a", status(429, retry_after="181"))
    assert refusal(downloader, storage, url, TransferBroken).reason == "rate_limited"
    assert clock.sleeps == []


def test_patience_with_all_waits_ends(
    server: FileServer, downloader: Downloader, storage: FolderStorage, clock: FakeClock
) -> None:
    url = server.link("/a", status(429, retry_after="180"))
    refusal(downloader, storage, url, TransferBroken)
    assert sum(clock.sleeps) == 540


# What needs a new link


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410])
def test_an_expired_link_is_not_tried_again(
    server: FileServer, downloader: Downloader, storage: FolderStorage, clock: FakeClock, code: int
) -> None:
    url = server.link("/a", status(code, EXPIRED, content_type="application/xml"))
    error = refusal(downloader, storage, url, LinkExpired)
    assert (error.status, error.reason) == (code, "link_expired")
    assert len(server.requests) == 1
    assert clock.sleeps == []


# Where a link leads


def test_a_redirect_is_followed(server: FileServer, downloader: Downloader) -> None:
    target = server.link("/target", file(AUDIO))
    url = server.link("/a", status(302, HTML, location=target))
    assert downloader.fetch(url, STEM, "audio/ogg").size_bytes == len(AUDIO)
    relative = server.link("/b", status(307, location="/target"))
    downloader.fetch(relative, STEM, "audio/ogg")


@pytest.mark.parametrize("location", ["/a", ""])
def test_redirects_end(
    server: FileServer, downloader: Downloader, storage: FolderStorage, location: str
) -> None:
    url = server.link("/a", status(301, location=location))
    assert refusal(downloader, storage, url, TransferBroken).reason == "bad_redirect"


@pytest.mark.parametrize(
    "url",
    [
        "http://storage.example/a?sig=s3cret",
        "ftp://127.0.0.1/a?sig=s3cret",
        "file:///etc/passwd?s3cret",
        "//storage.example/s3cret",
        "https//[s3cret",
        "s3cret",
        "",
    ],
)
def test_a_link_that_is_not_safe_is_not_followed(
    downloader: Downloader, storage: FolderStorage, url: str
) -> None:
    assert isinstance(refusal(downloader, storage, url, UnsafeLink), Never)


def test_a_redirect_to_where_a_link_may_not_lead(
    server: FileServer, downloader: Downloader, storage: FolderStorage
) -> None:
    url = server.link("/a", status(302, location="http://storage.example/a?sig=s3cret"))
    refusal(downloader, storage, url, UnsafeLink)


# Certificates and proxies


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody has signed."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    command = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {path} -out {path}.crt"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[FileServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with FileServer(context) as running:
        yield running


def test_a_certificate_that_nobody_vouches_for_is_refused(
    tls_server: FileServer, downloader: Downloader, storage: FolderStorage
) -> None:
    url = tls_server.link("/a", file(AUDIO))
    error = refusal(downloader, storage, url, TransferBroken)
    assert error.reason == "tls_error"
    assert "REQUESTS_CA_BUNDLE" in str(error)
    assert tls_server.requests == []


@pytest.fixture
def trusting(
    storage: FolderStorage, clock: FakeClock, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Downloader]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{certificate}.crt")
    with Downloader(storage, clock=clock) as one:
        yield one


def test_a_bundle_of_certificates_can_be_named(
    tls_server: FileServer, trusting: Downloader
) -> None:
    url = tls_server.link("/a", file(AUDIO))
    assert trusting.fetch(url, STEM, "audio/ogg").size_bytes == len(AUDIO)


def test_a_folder_of_certificates_can_be_named(
    tls_server: FileServer,
    storage: FolderStorage,
    clock: FakeClock,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    command = f"openssl x509 -in {certificate}.crt -noout -subject_hash"
    name = subprocess.run(command.split(), check=True, capture_output=True, text=True).stdout
    shutil.copy(f"{certificate}.crt", tmp_path / f"{name.strip()}.0")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    with Downloader(storage, clock=clock) as downloader:
        url = tls_server.link("/a", file(AUDIO))
        assert downloader.fetch(url, STEM, "audio/ogg").size_bytes == len(AUDIO)


def test_a_redirect_never_leaves_tls(
    server: FileServer, tls_server: FileServer, trusting: Downloader, storage: FolderStorage
) -> None:
    plain = server.link("/plain", file(AUDIO))
    url = tls_server.link("/a", status(302, location=plain))
    refusal(trusting, storage, url, UnsafeLink)
    assert server.requests == []


def test_a_proxy_of_the_environment_is_used_but_not_for_this_machine(
    server: FileServer, storage: FolderStorage, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:p%40ss@127.0.0.1:{server.port}")
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("NO_PROXY", "exempt.invalid")
    url = "https://storage.invalid/a?X-Amz-Signature=s3cret"
    server.link("storage.invalid:443", status(407))
    with Downloader(storage, clock=clock) as downloader:
        assert refusal(downloader, storage, url, TransferBroken).reason == "proxy_error"
        assert server.requests[0].method == "CONNECT"
        assert server.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpwQHNz"
        asked = len(server.requests)
        exempt = "https://exempt.invalid/a?X-Amz-Signature=s3cret"
        assert refusal(downloader, storage, exempt, TransferBroken).reason == "unreachable"
        assert len(server.requests) == asked
        assert downloader.fetch(server.link("/a", file(AUDIO)), STEM, None).key == f"{STEM}.ogg"


def test_a_proxy_that_cannot_be_used_is_named(
    storage: FolderStorage, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://user:s3cret@127.0.0.1:1")
    with pytest.raises(Never, match="HTTPS_PROXY") as caught:
        Downloader(storage, clock=clock)
    assert "s3cret" not in str(caught.value)


# What the storage does


def test_a_file_takes_the_place_of_another(
    server: FileServer, downloader: Downloader, storage: FolderStorage
) -> None:
    url = server.link("/a", file(AUDIO))
    assert downloader.fetch(url, STEM, None) == downloader.fetch(url, STEM, None)
    other = ogg(96_000)
    downloader.fetch(server.link("/b", file(other)), STEM, None)
    assert [path.read_bytes() for path in leftovers(storage)] == [other]


def test_a_storage_that_refuses_is_not_asked_again(
    server: FileServer, clock: FakeClock, tmp_path: Path
) -> None:
    (tmp_path / "audio").touch()
    storage = FolderStorage(tmp_path / "audio")
    with (
        Downloader(storage, clock=clock) as downloader,
        pytest.raises(StorageRefused, match="AUDIO_STORAGE_URI"),
    ):
        downloader.fetch(server.link("/a", file(AUDIO)), STEM, None)
    assert clock.sleeps == []
    assert server.requests == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_disk_that_fills_up_half_way(server: FileServer, tmp_path: Path) -> None:
    program = """
        import resource, sys
        from pathlib import Path
        from audio_extract_dagster.download.downloader import Downloader
        from audio_extract_dagster.storage import FolderStorage, StorageFull
        from audio_extract_dagster_tests.fake_clock import FakeClock

        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        storage = FolderStorage(Path(sys.argv[1]))
        with Downloader(storage, clock=FakeClock()) as downloader:
            for _ in range(2):  # the connection that was left half-way is not used again
                try:
                    downloader.fetch(sys.argv[2], "2026/03/11/call/recording", None)
                except StorageFull as error:
                    assert "room" in str(error)
                else:
                    sys.exit("stored more than there is room for")
        assert not [path for path in storage.root.rglob("*") if path.is_file()]
    """
    url = server.link("/a", file(ogg(48_000, pages=200)))
    folder = str(tmp_path / "audio")
    command = [sys.executable, "-c", textwrap.dedent(program), folder, url]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    assert len(server.requests) == 2
