"""Where requests may go, through which proxy, and whom they trust."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from audio_extract_dagster.errors import Never
from audio_extract_dagster.genesys import (
    BadRequest,
    CertificateNotTrusted,
    GenesysClient,
    LocalBudget,
    Unavailable,
)
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.genesys.clients import ClientMaker
from audio_extract_dagster_tests.genesys.scripted_server import Answer, ScriptedServer

ME = "/api/v2/organizations/me"
HELLO = Answer(200, {"name": "Example"})


@pytest.mark.parametrize(
    "url",
    [
        "http://api.mypurecloud.com",
        "http://localhost.example.com",
        "http://10.0.0.1:8080",
        "ftp://127.0.0.1",
        "api.mypurecloud.com",
        "https://",
        "https://[::1",
        "https://api.mypurecloud.com:port",
        "https://user:p4ssword@api.mypurecloud.com",
        "https://api.mypurecloud.com?key=p4ssword",
        "",
    ],
)
def test_a_token_does_not_go_there(make_client: ClientMaker, url: str) -> None:
    with pytest.raises(Never, match="GENESYS_CLOUD_API_URL") as caught:
        make_client(url)
    assert "p4ssword" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "http://[::1]:9", "http://localhost:9", "https://example.com/x/"]
)
def test_a_token_may_go_there(make_client: ClientMaker, url: str) -> None:
    make_client(url)


def test_the_login_url_is_checked_by_its_own_name() -> None:
    clock = FakeClock()
    with pytest.raises(Never, match="GENESYS_CLOUD_LOGIN_URL"):
        GenesysClient(
            "http://login.example.com",
            "https://api.example.com",
            "id",
            "secret",
            budget=LocalBudget(60, clock),
            clock=clock,
        )


def test_a_base_url_may_have_a_path_and_a_slash(
    make_client: ClientMaker, server: ScriptedServer
) -> None:
    server.script(f"/gateway{ME}", HELLO)

    assert make_client(f"{server.url}/gateway/").organization_name() == "Example"


def test_no_redirect_is_followed(client: GenesysClient, server: ScriptedServer) -> None:
    with ScriptedServer() as elsewhere:
        server.script(ME, Answer(302, headers={"Location": f"{elsewhere.url}{ME}"}))

        with pytest.raises(BadRequest, match="GENESYS_CLOUD_REGION"):
            client.organization_name()
        assert elsewhere.received == []


def test_the_proxy_of_the_environment_is_used(
    make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)

        with pytest.raises(Unavailable):  # the scripted server opens no tunnel
            make_client("https://api.invalid").organization_name()
        assert {(each.method, each.path) for each in proxy.received} == {
            ("CONNECT", "api.invalid:443")
        }


def test_a_server_on_this_machine_is_not_asked_through_a_proxy(
    make_client: ClientMaker, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret would go there in the clear."""
    server.script(ME, HELLO)
    with ScriptedServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)

        assert make_client().organization_name() == "Example"
        assert proxy.received == []


def test_a_proxy_that_cannot_be_used_is_no_fault_that_passes(
    make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://user:p4ssword@127.0.0.1:1080")

    with pytest.raises(Never, match="HTTPS_PROXY") as caught:
        make_client("https://api.example.com")
    assert "p4ssword" not in str(caught.value)


def test_a_netrc_file_does_not_replace_the_login(
    make_client: ClientMaker,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.script(ME, HELLO)

    make_client().organization_name()

    assert server.received[-1].headers["authorization"] == "Bearer token-1"


def test_cookies_are_not_kept(client: GenesysClient, server: ScriptedServer) -> None:
    server.script(ME, Answer(200, HELLO.body, headers={"Set-Cookie": "a=b"}))

    client.organization_name()
    client.organization_name()

    assert "cookie" not in server.received[-1].headers


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[ScriptedServer, Path]]:
    """A server with a certificate that only its own file vouches for."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command to make a certificate")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ScriptedServer(tls=context) as server:
        server.script(ME, HELLO)
        yield server, certificate


def test_a_certificate_that_nobody_vouches_for(
    make_client: ClientMaker, tls: tuple[ScriptedServer, Path], clock: FakeClock
) -> None:
    with pytest.raises(CertificateNotTrusted, match="REQUESTS_CA_BUNDLE"):
        make_client(tls[0].url).organization_name()
    assert clock.sleeps == []


def test_a_company_can_vouch_for_its_own(
    make_client: ClientMaker,
    tls: tuple[ScriptedServer, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, certificate = tls
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))

    assert make_client(server.url).organization_name() == "Example"


def test_certificates_that_are_not_there_are_named(
    make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")

    with pytest.raises(Never, match="REQUESTS_CA_BUNDLE"):
        make_client()
