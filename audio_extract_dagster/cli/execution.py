"""Runs the job of a day in this process, on the instance in `DAGSTER_HOME`: the UI shows it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dagster import DagsterInstance
from dagster_postgres.utils import DagsterPostgresException
from sqlalchemy import Engine, exc

from audio_extract_dagster.composition import engine_of
from audio_extract_dagster.database.connection import database_errors, explain, reading
from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.database.locks import is_held
from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.jobs import JOB_NAME
from audio_extract_dagster.defs.runs import first_failure, report_vanished, was_stopped
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.settings import Settings


@dataclass(frozen=True)
class Execution:
    """The run, why it failed (None if it did not), how then, and what its other checks found."""

    run_id: str
    failure: str | None
    status: JobStatus = JobStatus.FAILED
    findings: Sequence[str] = ()


def execute(settings: Settings, day: date) -> Execution:
    """Run the day to its end. An interrupt (Ctrl-C, SIGTERM) cancels it.

    Raises `DatabaseUnavailable` or `DatabaseRefused` if Dagster loses the database in mid-run.
    """
    job = definitions().resolve_job_def(JOB_NAME)
    with _instance_errors(engine_of(settings)), DagsterInstance.get() as instance:
        _report_vanished_runs(instance, settings, day)
        result = job.execute_in_process(
            instance=instance,
            partition_key=day.isoformat(),
            raise_on_error=False,
            # The closed counts are the output here; the log of the run is in the UI.
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        findings = [
            f"{each.check_name}: {each.description}"
            for each in result.get_asset_check_evaluations()
            if not each.passed and not each.blocking
        ]
        if result.success:
            return Execution(result.run_id, None, findings=findings)
        if was_stopped(instance, result.run_id):
            # Of a signal to its own process Dagster thinks that it was an accident.
            instance.report_run_canceled(result.dagster_run, "Stopped by a signal.")
            return Execution(result.run_id, "the run was canceled.", JobStatus.CANCELED)
        failure = first_failure(instance, result.run_id) or "the run failed; the UI shows why."
        return Execution(result.run_id, failure, findings=findings)


@contextmanager
def _instance_errors(engine: Engine) -> Iterator[None]:
    """Dagster keeps its runs in the same database, and tells of its loss in its own exception."""
    try:
        with database_errors(engine):
            yield
    except DagsterPostgresException as error:
        if not isinstance(error.__cause__, exc.DBAPIError):
            raise
        found = explain(error.__cause__, engine)
        file = Path(os.environ.get("DAGSTER_HOME", "")) / "dagster.yaml"
        raise type(found)(f"{found} Dagster's own connection is described in {file}.") from None


def _report_vanished_runs(instance: DagsterInstance, settings: Settings, day: date) -> None:
    """Runs of this day that a kill left open: Dagster cannot know that their process is gone."""
    engine = engine_of(settings)
    with reading(engine) as connection:
        running = jobs.running_jobs(connection, day)
    # Asked after that: a run that begins just now takes the lock first, then opens its job.
    if is_held(engine, settings.pg_schema, day):
        return
    for job in running:
        report_vanished(instance, job.run_id)
