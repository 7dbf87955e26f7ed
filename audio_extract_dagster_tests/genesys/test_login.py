"""Tokens: taken once, renewed in time, renewed once when refused, by one thread for all."""

from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from audio_extract_dagster.errors import Never
from audio_extract_dagster.genesys import BadRequest, GenesysClient, LoginRefused, NotFound
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.genesys.scripted_server import (
    RESET,
    Answer,
    Received,
    ScriptedServer,
    token,
)

TOKEN = "/oauth/token"
ME = "/api/v2/organizations/me"
HELLO = Answer(200, {"name": "Example"})
EXPIRED = Answer(401, {"code": "bad.credentials", "status": 401})


@pytest.fixture(autouse=True)
def organization(server: ScriptedServer) -> None:
    server.script(ME, HELLO)


def test_the_login_is_basic_with_client_credentials(
    client: GenesysClient, server: ScriptedServer
) -> None:
    client.organization_name()

    login, call = server.received
    assert (login.method, login.path) == ("POST", TOKEN)
    assert login.body == b"grant_type=client_credentials"
    assert login.headers["content-type"] == "application/x-www-form-urlencoded"
    basic = login.headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(basic) == b"client-id:s3cret-of-the-client"
    assert call.headers["authorization"] == "Bearer token-1"


def test_a_token_is_renewed_at_nine_tenths_of_its_life(
    client: GenesysClient, server: ScriptedServer, clock: FakeClock
) -> None:
    server.script(TOKEN, token("token-1", expires_in=300), token("token-2", expires_in=300))

    client.organization_name()
    clock.advance(269)
    client.organization_name()
    clock.advance(1)
    client.organization_name()

    assert server.paths() == [TOKEN, ME, ME, TOKEN, ME]
    assert server.received[-1].headers["authorization"] == "Bearer token-2"


@pytest.mark.parametrize("lifetime", [None, "soon", 0, -5, True])
def test_a_lifetime_that_is_not_said_is_the_shortest(
    client: GenesysClient, server: ScriptedServer, clock: FakeClock, lifetime: object
) -> None:
    server.script(TOKEN, token("token-1", expires_in=lifetime))

    client.organization_name()
    client.organization_name()
    clock.advance(270)
    client.organization_name()

    assert server.paths() == [TOKEN, ME, ME, TOKEN, ME]


def test_a_refused_token_is_renewed_once(client: GenesysClient, server: ScriptedServer) -> None:
    server.script(TOKEN, token("token-1"), token("token-2"))
    server.script(ME, EXPIRED, HELLO)

    assert client.organization_name() == "Example"
    assert server.received[-1].headers["authorization"] == "Bearer token-2"
    assert server.paths() == [TOKEN, ME, TOKEN, ME]


def test_a_second_refusal_is_final(client: GenesysClient, server: ScriptedServer) -> None:
    server.script(ME, EXPIRED)

    with pytest.raises(LoginRefused, match="GENESYS_CLOUD_CLIENT_SECRET") as caught:
        client.organization_name()

    assert isinstance(caught.value, Never)
    assert server.paths() == [TOKEN, ME, TOKEN, ME]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_login_names_the_settings(
    client: GenesysClient, server: ScriptedServer, status: int
) -> None:
    text = "authentication failed"
    body = {"error": "invalid_client", "description": text, "error_description": text}
    server.script(TOKEN, Answer(status, body))

    with pytest.raises(LoginRefused) as caught:
        client.organization_name()

    message = str(caught.value)
    assert "GENESYS_CLOUD_CLIENT_ID and GENESYS_CLOUD_CLIENT_SECRET" in message
    assert "POST /oauth/token" in message
    assert (caught.value.status, caught.value.code) == (status, "invalid_client")
    assert server.paths() == [TOKEN]


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (302, BadRequest)])
def test_a_login_url_that_is_no_login_is_not_blamed_on_the_secret(
    client: GenesysClient, server: ScriptedServer, status: int, error: type[Exception]
) -> None:
    server.script(TOKEN, Answer(status, headers={"Location": "/oauth/token"}))

    with pytest.raises(error):
        client.organization_name()
    assert server.paths() == [TOKEN]


@pytest.mark.parametrize(
    "fault",
    [
        RESET,
        Answer(500),
        Answer(429, headers={"Retry-After": "7"}),
        Answer(200, b"<html>"),
        Answer(200, {"access_token": None}),
        Answer(200, {"access_token": "two\r\nlines"}),
    ],
)
def test_a_login_is_repeated_like_a_read(
    client: GenesysClient, server: ScriptedServer, clock: FakeClock, fault: Answer
) -> None:
    server.script(TOKEN, fault, token("token-1"))

    assert client.organization_name() == "Example"
    assert len(clock.sleeps) == 1
    assert server.paths() == [TOKEN, TOKEN, ME]


def test_threads_share_one_login_and_one_renewal(
    client: GenesysClient, server: ScriptedServer
) -> None:
    server.script(TOKEN, token("token-1"), token("token-2"))
    all_refused = threading.Barrier(8)

    def refuse_the_first_token_to_all_at_once(request: Received) -> Answer:
        if request.headers["authorization"] != "Bearer token-1":
            return HELLO
        all_refused.wait()
        return EXPIRED

    server.script(ME, refuse_the_first_token_to_all_at_once)
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: client.organization_name(), range(8)))

    assert names == ["Example"] * 8
    assert server.paths().count(TOKEN) == 2
    assert server.paths().count(ME) == 16
