"""Runs the job of a day in this process, on the instance in `DAGSTER_HOME`: the UI shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dagster import DagsterInstance

from audio_extract_dagster.composition import engine_of
from audio_extract_dagster.database.connection import database_errors
from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.database.locks import is_held
from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.jobs import JOB_NAME
from audio_extract_dagster.defs.runs import first_failure, report_vanished, was_stopped
from audio_extract_dagster.startup import running_settings


@dataclass(frozen=True)
class Execution:
    """The run, and why it failed (None if it did not)."""

    run_id: str
    failure: str | None


def execute(day: date) -> Execution:
    """Run the day to its end. An interrupt (Ctrl-C, SIGTERM) cancels it."""
    job = definitions().resolve_job_def(JOB_NAME)
    with DagsterInstance.get() as instance:
        _report_vanished_runs(instance, day)
        result = job.execute_in_process(
            instance=instance,
            partition_key=day.isoformat(),
            raise_on_error=False,
            # The closed counts are the output here; the log of the run is in the UI.
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        if result.success:
            return Execution(result.run_id, None)
        if was_stopped(instance, result.run_id):
            # Of a signal to its own process Dagster thinks that it was an accident.
            instance.report_run_canceled(result.dagster_run, "Stopped by a signal.")
            return Execution(result.run_id, "the run was canceled.")
        failure = first_failure(instance, result.run_id) or "the run failed; the UI shows why."
        return Execution(result.run_id, failure)


def _report_vanished_runs(instance: DagsterInstance, day: date) -> None:
    """Runs of this day that a kill left open: Dagster cannot know that their process is gone."""
    settings = running_settings()
    engine = engine_of(settings)
    with database_errors(engine), engine.connect() as connection:
        running = jobs.running_jobs(connection, day)
    # Asked after that: a run that begins just now takes the lock first, then opens its job.
    if is_held(engine, settings.pg_schema, day):
        return
    for job in running:
        report_vanished(instance, job.run_id)
