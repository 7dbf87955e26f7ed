"""After a run is over: its job is closed and announced, also if the run itself could not."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.database.locks import day_lock
from audio_extract_dagster.database.tables import extraction_jobs
from audio_extract_dagster.extraction.after_run import after_run
from audio_extract_dagster.model import Job, JobStatus
from audio_extract_dagster_tests.builders import DAY, NOW, add_calls, call, rows
from audio_extract_dagster_tests.fake_clock import FakeClock

SCHEMA = "audio_extract"


def finish(engine: Engine, failure: str | None, status: JobStatus = JobStatus.FAILED) -> list[Job]:
    """The run is over; what is announced because of it."""
    announced: list[Job] = []
    after_run(
        engine,
        SCHEMA,
        "run-1",
        DAY,
        failure=failure,
        announce=lambda _, job: announced.append(job),
        clock=FakeClock(),
        status=status,
    )
    return announced


def begin(engine: Engine, stage: str | None = "audio") -> None:
    with engine.begin() as connection:
        jobs.open_job(connection, "run-1", DAY, NOW)
        if stage:
            jobs.set_stage(connection, "run-1", stage)


def job(engine: Engine) -> Job:
    with engine.connect() as connection:
        found = jobs.job(connection, "run-1")
    assert found is not None
    return found


def test_a_run_that_ended_its_job_is_left_alone(engine: Engine) -> None:
    begin(engine)
    with engine.begin() as connection:
        jobs.close_job(connection, "run-1", JobStatus.SUCCEEDED, NOW)
    before = rows(engine, extraction_jobs)
    assert finish(engine, "too late") == []
    assert rows(engine, extraction_jobs) == before


def test_a_killed_run_is_closed_and_announced_once(engine: Engine) -> None:
    add_calls(engine, call("c-1"))
    begin(engine)
    (announced,) = finish(engine, "the machine was lost")
    assert announced == job(engine)
    assert (announced.status, announced.error) == (JobStatus.FAILED, "audio: the machine was lost")
    assert announced.counts.agent_calls == 1
    assert finish(engine, "the machine was lost") == []


@pytest.mark.parametrize(
    ("stage", "cause"), [(None, "start: stopped"), ("audio", "audio: stopped")]
)
def test_a_run_that_was_canceled_is_canceled(engine: Engine, stage: str | None, cause: str) -> None:
    begin(engine, stage)
    (announced,) = finish(engine, "stopped", JobStatus.CANCELED)
    assert (announced.status, announced.error) == (JobStatus.CANCELED, cause)


def test_a_run_is_not_closed_while_somebody_works_on_its_day(engine: Engine) -> None:
    begin(engine)
    with day_lock(engine, SCHEMA, DAY):
        assert finish(engine, "it seemed dead") == []
    assert job(engine).status is JobStatus.RUNNING


def test_a_run_that_failed_before_it_had_a_job_is_announced_all_the_same(engine: Engine) -> None:
    add_calls(engine, call("c-1"))
    (announced,) = finish(engine, "no settings")
    assert (announced.run_id, announced.call_date) == ("run-1", DAY)
    assert (announced.status, announced.error) == (JobStatus.FAILED, "no settings")
    assert announced.counts.agent_calls == 1
    assert rows(engine, extraction_jobs) == []


def test_a_success_without_a_job_is_about_no_day(engine: Engine) -> None:
    assert finish(engine, None) == []
