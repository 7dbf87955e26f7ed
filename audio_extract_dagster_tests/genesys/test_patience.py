"""Reads: which faults are waited out, for how long, and how they end."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from email.utils import format_datetime

import pytest

from audio_extract_dagster.errors import Never, NotYet, TryAgain
from audio_extract_dagster.genesys import (
    BadRequest,
    GenesysClient,
    NotFound,
    NotPermitted,
    RateLimited,
    RetryPolicy,
    Unavailable,
    UnreadableAnswer,
)
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.genesys.clients import ClientMaker
from audio_extract_dagster_tests.genesys.scripted_server import (
    RESET,
    Answer,
    ScriptedServer,
    unused_port,
)

JOB = "/api/v2/recording/batchrequests/job-1"
DONE = Answer(200, {"status": "Completed"})
LIMIT = {"code": "too.many.requests.retry.after", "status": 429}

PASSING = [
    Answer(408),
    Answer(500, {"code": "internal.server.error"}),
    Answer(502, b"<html>bad gateway</html>"),
    Answer(503, b""),
    Answer(504, {"code": "authentication.request.timeout"}),
    Answer(599),
    RESET,
    Answer(200, {"status": "Completed", "padding": "x" * 5000}, fault="truncated"),
    Answer(200, b""),
    Answer(200, b"{"),
    Answer(200, b'{"status": "\xff"}'),
    Answer(200, b"[]"),
    Answer(200, b"[" * 100_000),
    Answer(200, b"not gzip", headers={"Content-Encoding": "gzip"}),
]


@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_is_waited_out(
    client: GenesysClient, server: ScriptedServer, clock: FakeClock, fault: Answer
) -> None:
    server.script(JOB, fault, fault, fault, fault, DONE)

    assert client.batch_status("job-1").finished

    assert len(clock.sleeps) == 4
    assert clock.sleeps == sorted(clock.sleeps)
    assert all(
        base <= pause <= base * 1.25
        for base, pause in zip((3, 6, 12, 24), clock.sleeps, strict=True)
    )
    assert client.usage.retry_wait == pytest.approx(sum(clock.sleeps))
    assert client.usage.requests["batch_poll"] == 5


@pytest.mark.parametrize("fault", PASSING)
def test_the_fifth_fault_ends_the_call(
    client: GenesysClient, server: ScriptedServer, fault: Answer
) -> None:
    server.script(JOB, *[fault] * 5, DONE)

    with pytest.raises((Unavailable, UnreadableAnswer), match="5 tries") as caught:
        client.batch_status("job-1")

    assert isinstance(caught.value, TryAgain)
    assert f"GET {JOB}" in str(caught.value)
    assert caught.value.tries == 5


def test_a_server_that_is_not_there(make_client: ClientMaker, clock: FakeClock) -> None:
    client = make_client(f"http://127.0.0.1:{unused_port()}")

    with pytest.raises(Unavailable, match="no connection could be made") as caught:
        client.organization_name()

    assert caught.value.untouched
    assert len(clock.sleeps) == 4


def test_silence_is_a_fault(make_client: ClientMaker, server: ScriptedServer) -> None:
    client = make_client(policy=RetryPolicy(read_timeout=0.05, tries=2))
    server.script(JOB, Answer(fault="hangs"), Answer(fault="hangs"))

    with pytest.raises(Unavailable, match="no answer in time"):
        client.batch_status("job-1")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadRequest),
        (403, NotPermitted),
        (404, NotFound),
        (405, BadRequest),
        (409, BadRequest),
        (413, BadRequest),
        (415, BadRequest),
        (301, BadRequest),
        (307, BadRequest),
    ],
)
def test_what_a_person_must_mend_is_not_repeated(
    client: GenesysClient,
    server: ScriptedServer,
    clock: FakeClock,
    status: int,
    error: type[Exception],
) -> None:
    body = {"code": "bad.request", "message": "about +51 1 555 0100", "contextId": "c0ffee-1"}
    server.script(JOB, Answer(status, body, headers={"Location": "http://127.0.0.1:9/x"}))

    with pytest.raises(error) as caught:
        client.batch_status("job-1")

    assert isinstance(caught.value, Never)
    assert f"status {status}, code bad.request, correlation id c0ffee-1" in str(caught.value)
    assert "555" not in str(caught.value)
    assert clock.sleeps == []


def test_a_rate_limit_is_waited_out_as_told_and_is_no_try(
    client: GenesysClient, server: ScriptedServer, clock: FakeClock
) -> None:
    limited = Answer(429, LIMIT, headers={"Retry-After": "42"})
    server.script(JOB, *[limited] * 8, Answer(500), limited, DONE)

    assert client.batch_status("job-1").finished
    assert clock.sleeps.count(42) == 9
    assert client.usage.rate_limit_wait == pytest.approx(9 * 42)


def test_a_rate_limit_may_end_at_a_date(
    client: GenesysClient, server: ScriptedServer, clock: FakeClock
) -> None:
    date = format_datetime(clock.now() + timedelta(seconds=90), usegmt=True)
    server.script(JOB, Answer(429, LIMIT, headers={"Retry-After": date}), DONE)

    assert client.batch_status("job-1").finished
    assert clock.sleeps == [90]


@pytest.mark.parametrize("header", [None, "soon", "nan", "inf", "Tue, 99 Foo 2026 00:00:00 GMT"])
def test_a_rate_limit_without_a_time_is_waited_out_in_growing_pauses(
    client: GenesysClient, server: ScriptedServer, clock: FakeClock, header: str | None
) -> None:
    limited = Answer(429, LIMIT, headers={"Retry-After": header} if header else {})
    server.script(JOB, limited, limited, limited, DONE)

    assert client.batch_status("job-1").finished
    assert 3 <= clock.sleeps[0] < clock.sleeps[1] < clock.sleeps[2] <= 15


@pytest.mark.parametrize("header", ["0", "-10", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_rate_limit_that_is_already_over_is_no_reason_to_hammer(
    client: GenesysClient, server: ScriptedServer, clock: FakeClock, header: str
) -> None:
    server.script(JOB, Answer(429, LIMIT, headers={"Retry-After": header}), DONE)

    assert client.batch_status("job-1").finished
    assert clock.sleeps == [1]


def test_180_seconds_are_waited_for_and_181_are_not(
    client: GenesysClient, server: ScriptedServer, clock: FakeClock
) -> None:
    server.script(JOB, Answer(429, LIMIT, headers={"Retry-After": "180"}), DONE)
    assert client.batch_status("job-1").finished

    clock.sleeps.clear()
    until = clock.now() + timedelta(seconds=181)
    server.script(JOB, Answer(429, LIMIT, headers={"Retry-After": "181"}), DONE)
    with pytest.raises(RateLimited, match="GENESYS_REQUESTS_PER_MINUTE") as caught:
        client.batch_status("job-1")

    assert isinstance(caught.value, NotYet)
    assert caught.value.retry_at == until
    assert f"not before {until:%Y-%m-%d %H:%M:%S} UTC" in str(caught.value)
    assert clock.sleeps == []


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("seconds", ["7200", "99999999999999999999", "1e300"])
def test_a_quota_or_an_outage_of_hours_is_left_for_later(
    client: GenesysClient, server: ScriptedServer, clock: FakeClock, status: int, seconds: str
) -> None:
    server.script(JOB, Answer(status, headers={"Retry-After": seconds}))

    with pytest.raises(RateLimited) as caught:
        client.batch_status("job-1")
    assert caught.value.status == status
    assert clock.sleeps == []


def test_no_call_waits_longer_than_ten_minutes(
    client: GenesysClient, server: ScriptedServer, clock: FakeClock
) -> None:
    server.script(JOB, Answer(429, LIMIT, headers={"Retry-After": "170"}))

    with pytest.raises(RateLimited, match=r"still rate limited .* 510 s waited"):
        client.batch_status("job-1")
    assert clock.sleeps == [170, 170, 170]


def test_an_outage_says_how_long_to_wait(
    client: GenesysClient, server: ScriptedServer, clock: FakeClock
) -> None:
    server.script(JOB, Answer(503, headers={"Retry-After": "120"}), DONE)

    assert client.batch_status("job-1").finished
    assert clock.sleeps == [120]


def test_all_threads_keep_quiet_while_one_waits_for_the_limit(
    client: GenesysClient, server: ScriptedServer, clock: FakeClock
) -> None:
    headers = {
        "inin-ratelimit-count": "300",
        "inin-ratelimit-allowed": "300",
        "inin-ratelimit-reset": "43",
    }
    server.script(JOB, Answer(200, DONE.body, headers=headers), DONE)

    client.batch_status("job-1")
    assert clock.sleeps == []
    client.batch_status("job-1")

    assert clock.sleeps == [43]
    assert client.usage.budget_wait == pytest.approx(43)


def test_a_retry_is_logged_with_what_the_support_asks_for(
    client: GenesysClient, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"ININ-Correlation-Id": "7b0c6f0e-1d4f"}
    server.script(JOB, Answer(503, {"code": "service.unavailable"}, headers), DONE)

    with caplog.at_level(logging.DEBUG, logger="audio_extract_dagster"):
        client.batch_status("job-1")

    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert re.fullmatch(
        rf"Genesys Cloud, GET {JOB}: the server could not answer \(status 503, "
        r"code service\.unavailable, correlation id 7b0c6f0e-1d4f\); next try in 3\.\d s",
        warning.getMessage(),
    )
    assert f"GET {JOB}: 200 in" in caplog.text
