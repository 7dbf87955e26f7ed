"""Tokens, the rate limit and permissions."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import pytest
import requests

from audio_extract_dagster.simulator import Simulator, World
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.simulator.api import Api

ME = "/api/v2/tokens/me"


@pytest.fixture
def guarded(world: World, clock: FakeClock) -> Iterator[Simulator]:
    """Lets one client in."""
    with Simulator(world, clock=clock, client_id="me", client_secret="mine") as running:
        yield running


def token(url: str, **options: object) -> requests.Response:
    defaults: dict[str, object] = {"data": {"grant_type": "client_credentials"}}
    return requests.post(f"{url}/oauth/token", **(defaults | options))  # type: ignore[arg-type]  # as requests has it


def test_any_client_may_log_in(simulator: Simulator) -> None:
    body = token(simulator.url, auth=("anybody", "any secret")).json()
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 86_399
    assert body["access_token"]


def test_id_and_secret_may_stand_in_the_form(guarded: Simulator) -> None:
    form = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "mine"}
    assert token(guarded.url, data=form).status_code == 200


def test_an_unknown_client_is_refused(guarded: Simulator) -> None:
    reply = token(guarded.url, auth=("you", "mine"))
    assert reply.status_code == 400
    assert reply.json() == {
        "error": "invalid_client",
        "description": "client not found",
        "error_description": "client not found",
    }


def test_a_wrong_secret_is_refused(guarded: Simulator) -> None:
    reply = token(guarded.url, auth=("me", "yours"))
    assert (reply.status_code, reply.json()["description"]) == (401, "authentication failed")


def test_another_grant_is_refused(simulator: Simulator) -> None:
    reply = token(simulator.url, auth=("a", "b"), data={"grant_type": "password"})
    assert (reply.status_code, reply.json()["error"]) == (400, "unsupported_grant_type")


def test_a_half_configured_client_is_a_mistake(world: World) -> None:
    with pytest.raises(ValueError, match="both"):
        Simulator(world, client_id="me")


def test_what_a_token_tells(api: Api) -> None:
    about = api.get(ME).json()
    assert about["OAuthClient"]["id"] == "client"
    assert about["organization"]["id"] == api.get("/api/v2/organizations/me").json()["id"]
    head = api.session.head(api.url + ME)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "authentication.required"),
        ("Basic abc", "authentication.required"),
        ("Bearer made-up", "bad.credentials"),
    ],
)
def test_without_a_good_token(simulator: Simulator, header: str | None, code: str) -> None:
    headers = {} if header is None else {"Authorization": header}
    reply = requests.get(simulator.url + ME, headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (401, code)
    assert reply.json()["contextId"] == reply.headers["ININ-Correlation-Id"]


@pytest.mark.parametrize("code", ["credentials.expired", "bad.credentials"])
def test_tokens_expire(simulator: Simulator, clock: FakeClock, code: str) -> None:
    simulator.switches.set("expiry_code", code)
    simulator.switches.token_seconds = 300
    api = Api(simulator.url).log_in()
    clock.advance(299)
    assert api.get(ME).status_code == 200
    clock.advance(1)
    assert (api.get(ME).status_code, api.get(ME).json()["code"]) == (401, code)


def test_tokens_are_revoked(simulator: Simulator, api: Api) -> None:
    other = Api(simulator.url, "other").log_in()
    assert api.session.delete(api.url + ME).status_code == 204
    assert api.get(ME).status_code == 401
    assert other.get(ME).status_code == 200
    assert simulator.revoke_tokens() == 1
    assert other.get(ME).json()["code"] == "bad.credentials"


def test_the_rate_limit_is_a_window_per_token(simulator: Simulator, clock: FakeClock) -> None:
    simulator.switches.rate_limit = 3
    api, other = Api(simulator.url).log_in(), Api(simulator.url).log_in()
    first = api.get(ME)
    assert first.headers["inin-ratelimit-count"] == "1"
    assert first.headers["inin-ratelimit-allowed"] == "3"
    assert first.headers["inin-ratelimit-reset"] == "60"
    clock.advance(20)
    assert [api.get(ME).status_code for _ in range(3)] == [200, 200, 429]
    refused = api.get(ME)
    assert refused.json()["code"] == "too.many.requests.retry.after"
    assert refused.headers["Retry-After"] == "40"
    assert other.get(ME).status_code == 200
    clock.advance(40)
    assert api.get(ME).status_code == 200


@pytest.mark.parametrize(
    ("how", "seconds"), [("http-date", None), ("absent", None), ("seconds", 7200.0)]
)
def test_how_long_to_wait(
    simulator: Simulator, clock: FakeClock, how: str, seconds: float | None
) -> None:
    simulator.switches.update({"rate_limit": 0, "retry_after": how, "retry_after_seconds": seconds})
    headers = Api(simulator.url).log_in().get(ME).headers
    if how == "absent":
        assert "Retry-After" not in headers
    elif how == "http-date":
        pause = parsedate_to_datetime(headers["Retry-After"]) - clock.now()
        assert pause.total_seconds() == 60
    else:
        assert headers["Retry-After"] == "7200"


def test_a_missing_permission(simulator: Simulator, api: Api) -> None:
    simulator.switches.missing_permissions = ("details_query",)
    reply = api.query()
    assert (reply.status_code, reply.json()["code"]) == (403, "missing.any.permissions")
    assert "analytics:conversationDetail:view" in reply.json()["message"]
    assert api.get(ME).status_code == 200
