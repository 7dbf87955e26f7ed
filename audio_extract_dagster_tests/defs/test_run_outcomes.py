"""What is mailed about the end of a run, and what is not."""

from __future__ import annotations

import sys

import pytest
from dagster._core.events import EngineEventData, JobFailureData, RunFailureReason
from dagster._utils.error import serializable_error_info_from_exc_info

from audio_extract_dagster.database.connection import DatabaseUnavailable
from audio_extract_dagster.database.locks import day_lock
from audio_extract_dagster.defs.plan import PLAN_JOB_NAME
from audio_extract_dagster.notify.gateway import GatewayRefused
from audio_extract_dagster.settings import SettingsError
from audio_extract_dagster_tests.defs.daemon import (
    THE_DAY,
    left_running,
    run_ended,
    run_failed,
    started_run,
    subjects,
)
from audio_extract_dagster_tests.defs.location import (
    DAY,
    CodeLocation,
    dagster_asks_old_pydantic,
    rows,
)
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer
from audio_extract_dagster_tests.postgres import Database

pytestmark = dagster_asks_old_pydantic


def test_a_success_is_mailed_once(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    result = location.run()
    event = result.get_run_success_event()

    run_ended(location, "notify_success", event, result.dagster_run)
    run_ended(location, "notify_success", event, result.dagster_run)

    (message,) = gateway.received
    assert set(message) == {"title", "subject", "priority", "htmlContent", "to"}
    assert message["priority"] == "sendinblue"
    assert message["to"] == [
        {"name": "", "email": "ana@example.com"},
        {"name": "", "email": "luis@example.com"},
    ]
    (job,) = rows(database.engine, "extraction_jobs")
    assert f"{job['stored']} stored" in message["subject"]
    assert f"/runs/{result.run_id}" in message["htmlContent"]


def test_a_repeat_that_changes_nothing_is_not_mailed(
    location: CodeLocation, gateway: HttpGatewayServer
) -> None:
    for _ in range(2):
        result = location.run()
        run_ended(location, "notify_success", result.get_run_success_event(), result.dagster_run)

    assert len(gateway.received) == 1


def test_a_failure_is_mailed_with_its_cause(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    with day_lock(database.engine, "audio_extract", THE_DAY):
        result = location.run()

    run_ended(location, "notify_failure", result.get_run_failure_event(), result.dagster_run)

    (message,) = gateway.received
    assert "FAILED" in message["subject"]
    assert f"Another run is working on {DAY}" in message["htmlContent"]


def test_a_run_that_was_killed_is_closed_and_mailed(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    run = started_run(location)
    left_running(database)

    run_failed(location, run)

    (job,) = rows(database.engine, "extraction_jobs")
    assert job["status"] == "FAILED"
    assert job["error"].startswith("audio: the run vanished (killed")
    assert subjects(gateway) == [f"Call recordings of {DAY}: FAILED, 0 stored, 0 open"]


def test_a_run_that_did_not_start_in_time_is_mailed_as_that(
    location: CodeLocation, gateway: HttpGatewayServer
) -> None:
    message = "Run timed out due to taking longer than 300 seconds to start.\nPod: audio-extract-7"
    data = JobFailureData(error=None, failure_reason=RunFailureReason.START_TIMEOUT)

    run_failed(location, started_run(location), message, data)

    (sent,) = gateway.received
    assert "taking longer than 300 seconds to start." in sent["htmlContent"]
    assert "vanished" not in sent["htmlContent"]
    assert "Pod" not in sent["htmlContent"]


@pytest.mark.parametrize("while_loading", [True, False])
def test_a_run_that_failed_outside_of_its_steps_is_mailed_with_its_error(
    location: CodeLocation, gateway: HttpGatewayServer, while_loading: bool
) -> None:
    run = started_run(location)
    try:
        raise SettingsError(["BATCH_SIZE must be a number"])
    except SettingsError:
        error = serializable_error_info_from_exc_info(sys.exc_info())
    if while_loading:  # Dagster tells this apart from the failure
        told = EngineEventData.engine_error(error)
        location.instance.report_engine_event("Could not load job definition.", run, told)
        run_failed(location, run)
    else:
        run_failed(location, run, "An exception was thrown.", JobFailureData(error, None))

    (sent,) = gateway.received
    assert "BATCH_SIZE must be a number" in sent["htmlContent"]
    assert "SettingsError" not in sent["htmlContent"]


def test_a_run_that_only_dagster_has_given_up_keeps_its_job(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    run = started_run(location)
    left_running(database)

    with day_lock(database.engine, "audio_extract", THE_DAY):
        run_failed(location, run)

    assert [job["status"] for job in rows(database.engine, "extraction_jobs")] == ["RUNNING"]
    assert gateway.received == []


def test_a_run_that_was_canceled_by_force_is_closed_and_mailed(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    run = started_run(location)
    left_running(database)

    run_ended(location, "notify_canceled", location.instance.report_run_canceled(run), run)

    (job,) = rows(database.engine, "extraction_jobs")
    assert job["status"] == "CANCELED"
    assert subjects(gateway) == [f"Call recordings of {DAY}: CANCELED, 0 stored, 0 open"]


@pytest.mark.parametrize(
    "absent",
    [{"PG_PORT": "9"}, {"PG_PASSWORD": "wrong"}, {"PG_PASSWORD": "", "GENESYS_QUEUE_ID": ""}],
    ids=["down", "wrong password", "not configured"],
)
def test_without_a_database_a_failure_is_mailed_at_once(
    location: CodeLocation,
    gateway: HttpGatewayServer,
    monkeypatch: pytest.MonkeyPatch,
    absent: dict[str, str],
) -> None:
    for name, value in absent.items():
        monkeypatch.setenv(name, value)

    run_failed(location, started_run(location))

    assert subjects(gateway) == [f"Call recordings of {DAY}: FAILED"]
    assert "the database could not be reached" in gateway.received[0]["htmlContent"]
    assert "the run vanished" in gateway.received[0]["htmlContent"]


def test_without_a_database_a_run_that_was_canceled_is_not_called_a_failure(
    location: CodeLocation, gateway: HttpGatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started_run(location)
    monkeypatch.setenv("PG_PORT", "9")
    run_ended(location, "notify_canceled", location.instance.report_run_canceled(run), run)
    assert subjects(gateway) == [f"Call recordings of {DAY}: CANCELED"]


def test_without_a_database_the_days_of_a_backfill_are_not_mailed_one_by_one(
    location: CodeLocation, gateway: HttpGatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_PORT", "9")
    run_failed(
        location, started_run(location, {"dagster/partition": DAY, "dagster/backfill": "b-1"})
    )
    assert gateway.received == []


def test_a_dry_run_that_fails_is_not_a_day_that_failed(
    location: CodeLocation, gateway: HttpGatewayServer
) -> None:
    run_failed(location, started_run(location, job_name=PLAN_JOB_NAME))
    assert gateway.received == []


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # a mail plugin
def test_a_gateway_that_cannot_be_used_does_not_lose_the_message(
    location: CodeLocation, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started_run(location)
    left_running(database)
    monkeypatch.setenv("NOTIFY_URL", "mailtos://")
    monkeypatch.setenv("EMAILS", "ana@example.com")
    with pytest.raises(GatewayRefused):
        run_failed(location, run)
    assert len(rows(database.engine, "notifications")) == 1


def test_without_a_database_a_success_waits_in_the_outbox(
    location: CodeLocation,
    gateway: HttpGatewayServer,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = location.run()
    monkeypatch.setenv("PG_PORT", "9")

    with pytest.raises(DatabaseUnavailable):
        run_ended(location, "notify_success", result.get_run_success_event(), result.dagster_run)

    assert gateway.received == []
    assert len(rows(database.engine, "notifications")) == 1


def test_a_failure_that_dagster_retries_is_not_mailed(
    location: CodeLocation, gateway: HttpGatewayServer
) -> None:
    tags = {"dagster/partition": DAY, "dagster/will_retry": "true"}
    run_failed(location, started_run(location, tags))

    assert gateway.received == []


def test_a_run_of_several_days_is_not_mailed(
    location: CodeLocation, gateway: HttpGatewayServer
) -> None:
    tags = {
        "dagster/asset_partition_range_start": "2026-03-09",
        "dagster/asset_partition_range_end": DAY,
    }
    run_failed(location, started_run(location, tags))

    assert gateway.received == []
