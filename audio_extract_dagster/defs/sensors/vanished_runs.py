"""Finds runs that are gone without having ended their job: killed, or their machine was lost."""

import json
from datetime import datetime, timedelta

import dagster as dg
from sqlalchemy import Connection

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import engine_of
from audio_extract_dagster.database.connection import reading
from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.database.locks import is_held
from audio_extract_dagster.defs.runs import report_vanished
from audio_extract_dagster.defs.telling import announcer
from audio_extract_dagster.extraction.after_run import after_run
from audio_extract_dagster.extraction.job_end import VANISHED
from audio_extract_dagster.startup import postgres_settings

# A living run that lost its connection takes its lock again at its next step.
GRACE_SECONDS = 300.0


def vanished_runs_sensor(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """The sensor; it starts no runs."""

    @dg.sensor(
        name="vanished_runs",
        minimum_interval_seconds=60,
        default_status=status,
        description=(
            "Closes the job of a run that is gone (kill -9, lost machine): its day is then due "
            "again at the next tick of the schedule. A run whose job another run of its day has "
            "closed is marked as failed."
        ),
    )
    def vanished_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        suspects: dict[str, float] = json.loads(context.cursor or "{}")
        settings, clock = postgres_settings(), SystemClock()
        engine = engine_of(settings)
        now = clock.now().timestamp()
        with reading(engine) as connection:
            running = jobs.running_jobs(connection)
            left_behind = _left_behind(context.instance, connection, clock.now())
        unheld = [job for job in running if not is_held(engine, settings.pg_schema, job.call_date)]
        since = {job.run_id: suspects.get(job.run_id, now) for job in unheld}
        gone = [job for job in unheld if now - since[job.run_id] >= GRACE_SECONDS]
        for job in gone:
            run = context.instance.get_run_by_id(job.run_id)
            after_run(
                engine,
                settings.pg_schema,
                job.run_id,
                job.call_date,
                failure=VANISHED,
                announce=announcer(settings, run.tags if run else {}),
                clock=clock,
            )
            report_vanished(context.instance, job.run_id)
            del since[job.run_id]
        for run_id in left_behind:
            report_vanished(context.instance, run_id)
        context.update_cursor(json.dumps(since))
        closed = ", ".join(f"{job.run_id} of {job.call_date}" for job in gone) or "none"
        return dg.SkipReason(f"{len(running)} runs at work; closed: {closed}.")

    return vanished_runs


def _left_behind(instance: dg.DagsterInstance, connection: Connection, now: datetime) -> list[str]:
    """Runs that Dagster takes for living, though their job has ended a while ago.

    The next run of a day closes the job of one that died, but it cannot tell Dagster.
    """
    ended_before = now - timedelta(seconds=GRACE_SECONDS)
    living = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    ended = (jobs.job(connection, run.run_id) for run in living)
    return [
        job.run_id for job in ended if job and job.finished_at and job.finished_at < ended_before
    ]
