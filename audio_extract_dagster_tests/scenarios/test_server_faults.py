"""Genesys or the network fails: once, for a while, or for good; at any call that may be repeated.

Batch requests, which may not, are in `test_batch_requests.py`; downloads in `test_downloads.py`.
"""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from audio_extract_dagster.genesys import (
    LoginRefused,
    NotPermitted,
    RateLimited,
    Unavailable,
    UnreadableAnswer,
)
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import Fault
from audio_extract_dagster_tests.scenarios.day import FRIDAY, Scene
from audio_extract_dagster_tests.scenarios.ending import Ending

API_READS = ("token", "details_query", "settings", "batch_poll", "metadata")

TROUBLE: dict[str, tuple[str, dict[str, Any]]] = {
    "500": ("status", {"status": 500}),
    "503, come back in 7 s": ("status", {"status": 503, "headers": {"Retry-After": 7}}),
    "504 without a body": ("status", {"status": 504, "body": ""}),
    "408": ("status", {"status": 408}),
    "HTML page of an edge": ("html", {"status": 502}),
    "captive portal": ("html", {"status": 200}),
    "broken JSON": ("garbage", {}),
    "empty body": ("empty_body", {}),
    "cut short": ("truncate", {}),
    "reset before acting": ("reset_before", {}),
    "reset after acting": ("reset_after", {}),
    "429, seconds": ("rate_limited", {"retry_after": 42}),
    "429, at once": ("rate_limited", {"retry_after": 0}),
    "429, a date": ("rate_limited", {"retry_after": FRIDAY + timedelta(seconds=60)}),
    "429, nothing said": ("rate_limited", {"retry_after": None}),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_trouble_once_at_every_call_is_ridden_out(scene: Scene, calm: Ending, trouble: str) -> None:
    kind, params = TROUBLE[trouble]
    faults = [
        scene.simulator.faults.add(Fault(operation, kind, params=params)) for operation in API_READS
    ]
    ending = scene.run()
    assert [scene.simulator.faults.struck(fault) for fault in faults] == [1] * len(faults)
    assert (ending.error, ending.status) == (None, JobStatus.INCOMPLETE)
    assert ending.state == calm.state
    assert ending.api_requests == calm.api_requests + len(faults)


def test_four_failures_in_a_row_at_every_call_are_ridden_out(scene: Scene, calm: Ending) -> None:
    for operation in API_READS:
        fault = Fault(operation, "status", times=4, params={"status": 502, "body": "<html>"})
        scene.simulator.faults.add(fault)
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
    assert ending.api_requests == calm.api_requests + 4 * len(API_READS)


@pytest.mark.parametrize(
    ("operation", "kind", "error", "stage"),
    [
        ("token", "status", Unavailable, "conversations"),
        ("token", "empty_body", UnreadableAnswer, "conversations"),
        ("details_query", "reset_before", Unavailable, "conversations"),
        ("details_query", "garbage", UnreadableAnswer, "conversations"),
        ("batch_poll", "html", Unavailable, "audio"),
        ("batch_poll", "garbage", UnreadableAnswer, "audio"),
    ],
)
def test_trouble_that_stays_fails_the_day_and_nothing_else(
    scene: Scene, calm: Ending, operation: str, kind: str, error: type[Exception], stage: str
) -> None:
    scene.simulator.faults.add(Fault(operation, kind, times=None))
    ending = scene.run()
    assert ending.status is JobStatus.FAILED
    assert isinstance(ending.error, error)
    assert ending.job is not None
    assert ending.job.error == f"{stage}: {ending.error}"
    assert ending.state.files == {}
    assert ending.state.records == {}
    if stage == "conversations":
        assert ending.state.conversations == {}
    # Five tries, three looks at most, and the second chance of the step.
    assert ending.requests[operation] <= 5 * 3 * 2

    assert scene.run_undisturbed().state == calm.state


def test_settings_that_nobody_may_read_cost_nothing_but_haste(scene: Scene, calm: Ending) -> None:
    scene.simulator.switches.missing_permissions = ("settings",)
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
    assert ending.api_requests <= calm.api_requests + 2


@pytest.mark.parametrize("kind", ["status", "reset_before", "garbage"])
def test_settings_that_do_not_come_cost_the_tries_and_haste(
    scene: Scene, calm: Ending, kind: str
) -> None:
    scene.simulator.faults.add(Fault("settings", kind, times=None))
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
    assert ending.api_requests <= calm.api_requests + 4 + 2


@pytest.mark.parametrize(
    ("operation", "wait"),
    [
        ("token", 7200),
        ("details_query", FRIDAY + timedelta(days=1)),
        ("settings", 181),
        ("batch_poll", 7200),
        ("metadata", 7200),
    ],
)
def test_a_wait_of_hours_is_not_waited_for(
    scene: Scene, calm: Ending, operation: str, wait: object
) -> None:
    fault = Fault(operation, "rate_limited", times=None, params={"retry_after": wait})
    scene.simulator.faults.add(fault)
    ending = scene.run()
    assert ending.status is JobStatus.FAILED
    assert isinstance(ending.error, RateLimited)
    assert "not before 2026-03-1" in str(ending.error)
    assert ending.requests[operation] == 1
    assert sum(scene.clock.sleeps) < 60

    after = scene.run_undisturbed()
    assert after.state == calm.state
    # The batches of the first run are read, not ordered anew; only what is open costs another.
    assert len(scene.simulator.log) == len(calm.batches)


def test_a_limit_lower_than_the_budget_slows_the_day_down(scene: Scene, calm: Ending) -> None:
    scene.simulator.switches.rate_limit = 5
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
    # Genesys's own count of the minute is read from its headers, so that a 429 is rare.
    assert ending.api_requests <= calm.api_requests + 4
    assert scene.clock.monotonic() < 600


@pytest.mark.parametrize("operation", ["details_query", "settings", "batch_poll", "metadata"])
def test_a_token_revoked_in_mid_run_is_renewed(scene: Scene, calm: Ending, operation: str) -> None:
    scene.simulator.faults.add(Fault(operation, "revoke_token"))
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
    assert ending.requests["token"] == 2
    assert ending.api_requests == calm.api_requests + 2


def test_a_token_revoked_at_the_batch_request_orders_nothing_twice(
    scene: Scene, calm: Ending
) -> None:
    scene.simulator.faults.add(Fault("batch_submit", "revoke_token"))
    ending = scene.run()
    assert ending.state == calm.state
    assert len(scene.simulator.log) == len(calm.batches)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(300, "credentials.expired"), (12, "bad.credentials"), (1, "credentials.expired")],
)
def test_tokens_of_a_short_life_are_renewed_in_time(
    scene: Scene, calm: Ending, seconds: int, code: Any
) -> None:
    scene.simulator.switches.token_seconds = seconds
    scene.simulator.switches.expiry_code = code
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
    assert ending.api_requests <= 2 * calm.api_requests


def test_a_client_that_is_refused_fails_the_day_at_once(scene: Scene, calm: Ending) -> None:
    body = '{"error":"invalid_client","description":"authentication failed"}'
    fault = Fault("token", "status", times=None, params={"status": 401, "body": body})
    scene.simulator.faults.add(fault)
    ending = scene.run()
    assert isinstance(ending.error, LoginRefused)
    assert "GENESYS_CLOUD_CLIENT_SECRET" in str(ending.error)
    assert ending.status is JobStatus.FAILED
    assert ending.api_requests == 1

    assert scene.run_undisturbed().state == calm.state


@pytest.mark.parametrize("operation", ["details_query", "batch_submit"])
def test_a_missing_permission_fails_the_day_and_is_named(
    scene: Scene, calm: Ending, operation: str
) -> None:
    scene.simulator.switches.missing_permissions = (operation,)
    ending = scene.run()
    assert isinstance(ending.error, NotPermitted)
    assert ending.job is not None
    assert ":view" in str(ending.job.error)
    assert ending.status is JobStatus.FAILED
    assert ending.requests[operation] == 1
    assert ending.state.records == {}

    scene.simulator.switches.missing_permissions = ()
    assert scene.run_undisturbed().state == calm.state


def test_an_outage_that_begins_and_ends_within_the_run(scene: Scene, calm: Ending) -> None:
    """Nine looks fail, and two of the run's patience are left."""
    fault = Fault("batch_poll", "status", times=9, params={"status": 503})
    scene.simulator.faults.add(fault)
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state


def test_a_date_without_a_zone_and_nonsense_are_no_reason_to_stop(
    scene: Scene, calm: Ending
) -> None:
    for wait in ("soon", "-5", "1e400", format_datetime(FRIDAY)[:-6]):
        fault = Fault("details_query", "rate_limited", params={"retry_after": wait})
        scene.simulator.faults.add(fault)
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
