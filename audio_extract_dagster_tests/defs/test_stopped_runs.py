"""Runs that are stopped, by a signal or in the UI: the job ends as canceled, nothing is lost."""

from __future__ import annotations

import os
import signal

import dagster as dg
import pytest

from audio_extract_dagster.simulator import Simulator
from audio_extract_dagster_tests.defs.acting import acting
from audio_extract_dagster_tests.defs.location import (
    CodeLocation,
    dagster_asks_old_pydantic,
    rows,
)
from audio_extract_dagster_tests.postgres import Database

pytestmark = dagster_asks_old_pydantic


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_ends_its_job_as_canceled(
    location: CodeLocation, database: Database, simulator: Simulator, number: signal.Signals
) -> None:
    with acting(simulator, "batch_poll", lambda: os.kill(os.getpid(), number)):
        stopped = location.run()

    assert not stopped.success
    (job,) = rows(database.engine, "extraction_jobs")
    assert (job["status"], job["stage"], job["error"]) == ("CANCELED", "audio", "audio: canceled.")
    (message,) = rows(database.engine, "notifications")
    assert "CANCELED" in message["subject"]

    result = location.run()

    assert result.success
    _, second = rows(database.engine, "extraction_jobs")
    assert second["status"] == "INCOMPLETE"
    assert len(simulator.log) == 1  # the batch of the stopped run was read


def test_a_run_that_is_terminated_in_the_ui_is_canceled_there_and_here(
    location: CodeLocation, database: Database, simulator: Simulator
) -> None:
    def terminate() -> None:
        (run,) = location.instance.get_runs()
        location.instance.report_run_canceling(run)
        os.kill(os.getpid(), signal.SIGINT)

    with acting(simulator, "batch_poll", terminate):
        terminated = location.run()

    run = location.instance.get_run_by_id(terminated.run_id)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.CANCELED
    assert [job["status"] for job in rows(database.engine, "extraction_jobs")] == ["CANCELED"]
