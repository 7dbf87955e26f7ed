"""After a run is over: its job is closed and announced, also if the run itself could not."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.connection import writing
from audio_extract_dagster.database.ledger import accounts, jobs
from audio_extract_dagster.database.locks import is_held
from audio_extract_dagster.extraction.accounting import Verdict
from audio_extract_dagster.extraction.job_end import VANISHED, Announce, at_stage, end_job
from audio_extract_dagster.model import Job, JobStatus


def after_run(
    engine: Engine,
    schema: str,
    run_id: str,
    call_date: date,
    *,
    failure: str | None,
    announce: Announce,
    clock: Clock,
    status: JobStatus = JobStatus.FAILED,
) -> None:
    """Make `extraction_jobs` and the outbox tell how a finished run ended; repeating is harmless.

    A run that was killed left its job `RUNNING`: with nobody holding the day, it is closed with
    `status`. A run that failed before it had a job is announced all the same. `failure` is the
    cause that the orchestrator knows, None for a success.
    """
    now = clock.now()
    with writing(engine) as connection:
        job = jobs.job(connection, run_id)
        if job is None:
            if failure is not None:
                counts = accounts.count_day(connection, call_date)
                announce(
                    connection,
                    Job.of_failed_run(run_id, call_date, failure, now, counts, status=status),
                )
        elif job.status is JobStatus.RUNNING and not is_held(engine, schema, call_date):
            cause = at_stage(job.stage, failure or VANISHED)
            end_job(connection, job, Verdict(status, cause), now, announce)
