"""What must never be seen in a log, an error or a `repr`."""

from __future__ import annotations

import logging
import pickle
import traceback

import pytest

from audio_extract_dagster.genesys import (
    BatchResult,
    Conversation,
    GenesysClient,
    GenesysError,
    NotPermitted,
    RateLimited,
    wire,
)
from audio_extract_dagster_tests.genesys.clients import ClientMaker
from audio_extract_dagster_tests.genesys.scripted_server import RESET, Answer, ScriptedServer, token

ME = "/api/v2/organizations/me"
SECRETS = (
    "s3cret-of-the-client",
    "t0ken-1",
    "t0ken-2",
    "proxy-p4ss",
    "555 0100",
    "Basic ",
    "Bearer ",
)


@pytest.mark.parametrize(
    "answer",
    [
        RESET,
        Answer(401, {"code": "bad.credentials", "message": "token t0ken-1 of +51 1 555 0100"}),
        Answer(403, {"code": "t0ken-1 leaks", "message": "a:b:c +51 1 555 0100"}),
        Answer(400, {"code": "bad.request", "contextId": "Bearer t0ken-1"}),
        Answer(429, headers={"Retry-After": "7200", "ININ-Correlation-Id": "Bearer t0ken-1"}),
        Answer(200, b"Bearer t0ken-1"),
    ],
)
def test_no_secret_is_logged_or_raised(
    client: GenesysClient,
    server: ScriptedServer,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
) -> None:
    server.script("/oauth/token", token("t0ken-1"), token("t0ken-2"))
    server.script(ME, answer)

    with caplog.at_level(logging.DEBUG), pytest.raises(GenesysError) as caught:
        client.organization_name()

    told = caplog.text + "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    told += repr(vars(caught.value))
    assert not [secret for secret in SECRETS if secret in told]


def test_the_password_of_a_proxy_stays_inside(
    make_client: ClientMaker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://somebody:proxy-p4ss@127.0.0.1:9")

    with caplog.at_level(logging.DEBUG), pytest.raises(GenesysError) as caught:
        make_client().organization_name()

    told = caplog.text + "".join(traceback.format_exception(caught.value)) + str(caught.value)
    assert "proxy-p4ss" not in told


def test_a_client_does_not_show_its_secret(client: GenesysClient, server: ScriptedServer) -> None:
    server.script(ME, Answer(200, {"name": "Example"}))
    client.organization_name()

    assert "s3cret" not in repr(client) + repr(vars(client))


def test_a_result_shows_its_link_without_the_signature() -> None:
    result = BatchResult("c-1", "r-1", "https://storage.example/1.ogg?X-Amz-Signature=abc", "a/o")

    assert repr(result) == (
        "BatchResult(conversation_id='c-1', recording_id='r-1', "
        "url='https://storage.example/1.ogg', content_type='a/o', error=None)"
    )
    assert "abc" not in str(result.__rich_repr__())


def test_a_conversation_shows_no_number() -> None:
    body = b"""{"conversationId": "c-1", "conversationStart": "2026-03-10T14:02:11.104Z",
        "participants": [{"sessions": [{"ani": "tel:+5115550100", "dnis": "tel:+5115550100"}]}]}"""

    found: Conversation = wire.read_conversation(body)

    assert "c-1" in repr(found)
    for part in (found, found.participants[0], found.participants[0].sessions[0]):
        assert "5550100" not in repr(part) + str(part.__rich_repr__())


def test_errors_can_be_sent_to_another_process() -> None:
    limit = RateLimited("the rate limit is reached", "GET /x", status=429)
    limit.tries = 3
    forbidden = NotPermitted("not permitted", "GET /x")
    forbidden.permissions = ("a:b:c",)

    for error in (limit, forbidden):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
