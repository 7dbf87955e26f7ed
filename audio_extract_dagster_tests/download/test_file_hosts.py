"""Hosts that want patience, links that lead elsewhere, certificates and proxies."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from audio_extract_dagster.download.downloader import Downloader
from audio_extract_dagster.download.errors import (
    LinkExpired,
    TransferBroken,
    UnsafeLink,
)
from audio_extract_dagster.errors import Never
from audio_extract_dagster.storage import FolderStorage
from audio_extract_dagster_tests.download.fetching import (
    AUDIO,
    EXPIRED,
    HTML,
    STEM,
    fetch,
    refusal,
)
from audio_extract_dagster_tests.download.file_server import (
    FileServer,
    file,
    status,
)
from audio_extract_dagster_tests.fake_clock import FakeClock


@pytest.mark.parametrize("code", [429, 503])
def test_a_host_that_asks_to_wait_is_obeyed_and_it_is_no_try(
    server: FileServer, downloader: Downloader, clock: FakeClock, code: int
) -> None:
    busy = status(code, retry_after="7")
    url = server.link("/a", busy, busy, busy, busy, file(AUDIO))
    fetch(downloader, url, STEM, "audio/ogg")
    assert clock.sleeps == [7.0] * 4


def test_a_host_that_names_an_hour_of_the_day(
    server: FileServer, downloader: Downloader, clock: FakeClock
) -> None:
    # libcurl reads it, by the clock of this machine.
    when = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=120), usegmt=True)
    url = server.link("/a", status(429, retry_after=when), file(AUDIO))
    fetch(downloader, url, STEM, "audio/ogg")
    (pause,) = clock.sleeps
    assert 60 < pause <= 120


@pytest.mark.parametrize("header", [{}, {"retry_after": "soon"}])
def test_a_host_that_does_not_say_how_long(
    server: FileServer, downloader: Downloader, clock: FakeClock, header: dict[str, Any]
) -> None:
    busy = status(429, **header)
    fetch(downloader, server.link("/a", busy, busy, busy, file(AUDIO)), STEM, "audio/ogg")
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
    assert f"status {code}" in str(error)
    assert len(server.requests) == 1
    assert clock.sleeps == []


# Where a link leads


def test_a_redirect_is_followed(server: FileServer, downloader: Downloader) -> None:
    target = server.link("/target", file(AUDIO))
    url = server.link("/a", status(302, HTML, location=target))
    assert fetch(downloader, url, STEM, "audio/ogg").size_bytes == len(AUDIO)
    relative = server.link("/b", status(307, location="/target"))
    fetch(downloader, relative, STEM, "audio/ogg")


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
    assert fetch(trusting, url, STEM, "audio/ogg").size_bytes == len(AUDIO)


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
        assert fetch(downloader, url, STEM, "audio/ogg").size_bytes == len(AUDIO)


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
        assert fetch(downloader, server.link("/a", file(AUDIO)), STEM, None).size_bytes


def test_a_proxy_that_cannot_be_used_is_named(
    storage: FolderStorage, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://user:s3cret@127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    url = "https://storage.invalid/a?X-Amz-Signature=s3cret"
    with Downloader(storage, clock=clock) as downloader:
        assert "HTTPS_PROXY" in str(refusal(downloader, storage, url, Never))
