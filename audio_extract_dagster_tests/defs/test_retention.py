"""Retention in Dagster: on when it is wanted, and the job deletes what the command would."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.retention import RETENTION_JOB_NAME
from audio_extract_dagster_tests.defs.daemon import run_ended
from audio_extract_dagster_tests.defs.location import (
    QUIET,
    CodeLocation,
    dagster_asks_old_pydantic,
    rows,
)
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer
from audio_extract_dagster_tests.postgres import Database

pytestmark = dagster_asks_old_pydantic


@pytest.mark.parametrize(
    ("variables", "status"),
    [
        ({}, dg.DefaultScheduleStatus.STOPPED),
        ({"RETENTION_DAYS": "90"}, dg.DefaultScheduleStatus.RUNNING),
        ({"RETENTION_DAYS": "90", "DEV_MODE": "True"}, dg.DefaultScheduleStatus.STOPPED),
    ],
    ids=["not set", "set", "development"],
)
def test_it_is_on_only_where_a_period_is_set(
    variables: dict[str, str],
    status: dg.DefaultScheduleStatus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)  # where no .env is read
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert definitions().resolve_schedule_def("retention").default_status is status


def run_expiry(location: CodeLocation) -> dg.ExecuteInProcessResult:
    job = definitions().resolve_job_def(RETENTION_JOB_NAME)
    return job.execute_in_process(
        instance=location.instance, run_config=QUIET, raise_on_error=False
    )


def expire(location: CodeLocation) -> dict[str, object]:
    """What the job says of itself."""
    result = run_expiry(location)
    (output,) = result.filter_events(lambda event: event.is_successful_output)
    return {name: value.value for name, value in output.step_output_data.metadata.items()}


def test_the_job_counts_what_it_deletes(
    location: CodeLocation, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert location.run().success
    [report] = rows(database.engine, "daily_report")
    assert expire(location) == {}
    monkeypatch.setenv("RETENTION_DAYS", "8")
    told = expire(location)
    assert (told["days"], told["files"]) == (1, report["stored"])
    assert (told["bytes"], told["payloads"]) == (report["bytes"], report["conversations"])
    assert expire(location)["days"] == 0


def test_a_day_that_runs_again_asks_for_nothing_that_was_deleted(
    location: CodeLocation, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    assert location.run().success
    monkeypatch.setenv("RETENTION_DAYS", "8")
    expire(location)
    before = rows(database.engine, "audio_records")
    deleted = [row for row in before if row["reason"] == "retention"]
    assert location.run().success
    after = rows(database.engine, "audio_records")
    assert [row for row in after if row["reason"] == "retention"] == deleted


@pytest.mark.parametrize("database_is_there", [True, False])
def test_a_pass_that_fails_is_mailed(
    location: CodeLocation,
    gateway: HttpGatewayServer,
    working_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    database_is_there: bool,
) -> None:
    assert location.run().success
    monkeypatch.setenv("RETENTION_DAYS", "8")
    audio = working_folder / "data" / "audio"
    audio.rename(audio.with_name("elsewhere"))
    audio.touch()  # no folder any more
    result = run_expiry(location)
    if not database_is_there:
        monkeypatch.setenv("PG_PORT", "9")

    run_ended(location, "notify_failure", result.get_run_failure_event(), result.dagster_run)

    message = gateway.received[-1]  # before it, that of the day
    assert message["subject"] == "Retention of call recordings: FAILED"
    assert "Audio cannot be kept in" in message["htmlContent"]
    assert "audio-extract expire" in message["htmlContent"]
    assert f"/runs/{result.run_id}" in message["htmlContent"]


def test_a_pass_that_leaves_something_has_failed(
    location: CodeLocation,
    gateway: HttpGatewayServer,
    working_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert location.run().success
    monkeypatch.setenv("RETENTION_DAYS", "8")
    monkeypatch.setenv("AUDIO_STORAGE_URI", str(working_folder / "another"))

    result = run_expiry(location)
    run_ended(location, "notify_failure", result.get_run_failure_event(), result.dagster_run)

    assert "in another storage" in gateway.received[-1]["htmlContent"]
    monkeypatch.delenv("AUDIO_STORAGE_URI")
    assert run_expiry(location).success


def test_a_pass_that_succeeds_is_not_mailed(
    location: CodeLocation, gateway: HttpGatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_DAYS", "8")
    result = run_expiry(location)
    run_ended(location, "notify_success", result.get_run_success_event(), result.dagster_run)
    assert gateway.received == []
