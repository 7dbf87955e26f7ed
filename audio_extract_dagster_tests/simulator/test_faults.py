"""Scripted faults, as a client sees them on the wire."""

from __future__ import annotations

import socket
import time
from datetime import datetime, timezone
from urllib.parse import urlsplit

import pytest
import requests

from audio_extract_dagster.simulator import Conversation, Fault, Simulator
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.simulator.api import QUERY, Api, in_state

ME = "/api/v2/tokens/me"


def raw_exchange(url: str, text: str) -> bytes:
    """What comes back on a bare socket until its end. Raises ConnectionResetError on a reset."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port or 80), timeout=5) as wire:
        wire.sendall(text.encode())
        answer = b""
        while more := wire.recv(65536):
            answer += more
        return answer


def file_link(api: Api, clock: FakeClock, truth: list[Conversation]) -> str:
    call = in_state([each for each in truth if each.story == "answered"], "AVAILABLE")
    job = api.submit(call.id)
    clock.advance(60)
    return str(api.poll(job)["results"][0]["resultUrl"])


def test_a_status_with_the_platforms_body(simulator: Simulator, api: Api) -> None:
    simulator.faults.add(
        Fault("tokens_me", "status", params={"status": 503, "headers": {"Retry-After": 7}})
    )
    reply = api.get(ME)
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "7")
    assert reply.json()["code"] == "service.unavailable"
    assert reply.json()["contextId"] == reply.headers["ININ-Correlation-Id"]
    assert api.get(ME).status_code == 200


def test_a_status_with_any_body(simulator: Simulator, api: Api) -> None:
    simulator.faults.add(Fault("any", "status", params={"status": 504, "body": ""}))
    reply = api.get(ME)
    assert (reply.status_code, reply.content) == (504, b"")


@pytest.mark.parametrize(
    ("wait", "header"),
    [
        (42, "42"),
        (7200, "7200"),
        (None, None),
        (datetime(2026, 3, 11, 12, tzinfo=timezone.utc), "Wed, 11 Mar 2026 12:00:00 GMT"),
        ("Wed, 11 Mar 2026 12:00:00 GMT", "Wed, 11 Mar 2026 12:00:00 GMT"),
    ],
)
def test_rate_limited(simulator: Simulator, api: Api, wait: object, header: str | None) -> None:
    simulator.faults.add(Fault("any", "rate_limited", params={"retry_after": wait}))
    reply = api.get(ME)
    assert (reply.status_code, reply.json()["code"]) == (429, "too.many.requests.retry.after")
    assert reply.headers.get("Retry-After") == header


@pytest.mark.parametrize("status", [502, 200])
def test_html(simulator: Simulator, api: Api, status: int) -> None:
    simulator.faults.add(Fault("any", "html", params={"status": status}))
    reply = api.get(ME)
    assert reply.status_code == status
    assert reply.headers["Content-Type"].startswith("text/html")
    assert reply.content.startswith(b"<!DOCTYPE html>")


def test_garbage_and_nothing(simulator: Simulator, api: Api) -> None:
    simulator.faults.add(Fault("tokens_me", "garbage"))
    simulator.faults.add(Fault("tokens_me", "empty_body"))
    with pytest.raises(requests.JSONDecodeError):
        api.get(ME).json()
    assert (api.get(ME).content, api.get(ME).status_code) == (b"", 200)


def test_reset_before_acting(simulator: Simulator, api: Api, truth: list[Conversation]) -> None:
    simulator.faults.add(Fault("batch_submit", "reset_before"))
    with pytest.raises(requests.ConnectionError):
        api.submit(truth[0].id)
    assert simulator.log == []
    api.submit(truth[0].id)
    assert len(simulator.log) == 1


def test_reset_after_acting(simulator: Simulator, api: Api, truth: list[Conversation]) -> None:
    simulator.faults.add(Fault("batch_submit", "reset_after"))
    with pytest.raises(requests.ConnectionError):
        api.submit(truth[0].id)
    assert len(simulator.log) == 1


def test_a_reset_is_a_real_one(simulator: Simulator) -> None:
    simulator.faults.add(Fault("any", "reset_before"))
    with pytest.raises(ConnectionResetError):
        raw_exchange(simulator.url, f"GET {ME} HTTP/1.1\r\nHost: simulator\r\n\r\n")


def test_a_slow_answer_takes_the_clocks_time(
    simulator: Simulator, api: Api, clock: FakeClock
) -> None:
    simulator.faults.add(Fault("tokens_me", "slow", params={"seconds": 90}))
    assert api.get(ME).status_code == 200
    assert clock.sleeps == [90]


def test_a_slow_answer_may_take_real_time(simulator: Simulator, api: Api, clock: FakeClock) -> None:
    simulator.faults.add(Fault("tokens_me", "slow", params={"seconds": 0.05, "real": True}))
    begin = time.monotonic()
    with pytest.raises(requests.ReadTimeout):
        api.get(ME, timeout=0.01)
    assert time.monotonic() - begin < 1
    assert clock.sleeps == []


def test_slow_and_then_broken(simulator: Simulator, api: Api, clock: FakeClock) -> None:
    simulator.faults.add(Fault("any", "slow", params={"seconds": 5}))
    simulator.faults.add(Fault("any", "status", params={"status": 500}))
    assert api.get(ME).status_code == 500
    assert clock.sleeps == [5]


def test_the_token_is_revoked_in_the_middle(simulator: Simulator, api: Api) -> None:
    simulator.faults.add(Fault("details_query", "revoke_token", after=1))
    assert [api.query().status_code for _ in range(3)] == [200, 401, 401]
    assert api.log_in().query().status_code == 200


def test_truncated_downloads(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    link = file_link(api, clock, truth)
    whole = api.download(link).content
    simulator.faults.add(Fault("download", "truncate", params={"keep": 0.25}))
    path = link.removeprefix(simulator.url)
    answer = raw_exchange(simulator.url, f"GET {path} HTTP/1.1\r\nHost: simulator\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(whole)}".encode() in head
    assert body == whole[: len(whole) // 4]


def test_a_download_may_stall(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    link = file_link(api, clock, truth)
    simulator.faults.add(Fault("download", "truncate", params={"keep": 0.1, "stall": 0.3}))
    with pytest.raises(requests.ConnectionError, match="timed out"):
        api.session.get(link, headers={"Authorization": None}, timeout=0.05)


def test_wrong_files(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    link = file_link(api, clock, truth)
    whole = api.download(link).content
    for kind in ("zero_bytes", "shorten", "garbage", "html"):
        simulator.faults.add(Fault("download", kind, params={"status": 200}))
    empty, short, garbage, page = (api.download(link) for _ in range(4))
    assert empty.content == b""
    assert empty.headers["Content-Length"] == "0"
    assert short.content == whole[: len(whole) // 2]
    assert garbage.content.startswith(b"\0not audio")
    assert page.headers["Content-Type"].startswith("text/html")
    assert api.download(link).content == whole


def test_a_fault_may_be_tied_to_one_conversation(
    simulator: Simulator, api: Api, truth: list[Conversation]
) -> None:
    unlucky, lucky = truth[0].id, truth[1].id
    simulator.faults.add(Fault("any", "status", times=None, match=unlucky))
    path = "/api/v2/conversations/{}/recordingmetadata"
    assert api.get(path.format(lucky)).status_code == 200
    assert [api.get(path.format(unlucky)).status_code for _ in range(3)] == [500] * 3
    api.submit(lucky)
    with pytest.raises(AssertionError):
        api.submit(lucky, unlucky)


def test_answers_are_mutated(simulator: Simulator, api: Api) -> None:
    path = "conversations.*.participants.0.purpose"
    simulator.faults.add(Fault("details_query", "mutate", params={"path": path, "value": 7}))
    simulator.faults.add(Fault("details_query", "mutate", change=lambda answer: [answer, "\ud800"]))
    purposes = {each["participants"][0]["purpose"] for each in api.query().json()["conversations"]}
    assert purposes == {7}
    changed = api.query()
    assert b"\\ud800" in changed.content
    assert isinstance(changed.json(), list)


def test_login_can_fail_too(simulator: Simulator) -> None:
    simulator.faults.add(Fault("token", "status", params={"status": 500}))
    reply = requests.post(f"{simulator.url}/oauth/token", data={})
    assert reply.status_code == 500
    assert Api(simulator.url).log_in().get(ME).status_code == 200


def test_unknown_paths(api: Api) -> None:
    assert api.get("/api/v2/nothing").status_code == 404
    assert api.get(QUERY).status_code == 404
