"""One message about a whole backfill, instead of one for each of its days."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.execution.backfill import PartitionBackfill
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from sqlalchemy import Connection

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import engine_of, letterhead_of
from audio_extract_dagster.database.connection import writing
from audio_extract_dagster.database.ledger import accounts, jobs
from audio_extract_dagster.defs.plan import PLAN_JOB_NAME
from audio_extract_dagster.defs.runs import first_failure
from audio_extract_dagster.model import Job, JobStatus
from audio_extract_dagster.notify import outbox
from audio_extract_dagster.notify.message import compose_digest
from audio_extract_dagster.startup import postgres_settings

# Older backfills ended before anybody could be told; a new installation does not tell them.
RECENT = timedelta(days=2)
_LATEST = 20
_BROKEN = {
    DagsterRunStatus.FAILURE: JobStatus.FAILED,
    DagsterRunStatus.CANCELED: JobStatus.CANCELED,
}


def backfill_digest_sensor(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """The sensor; it starts no runs."""

    @dg.sensor(
        name="backfill_digest",
        minimum_interval_seconds=60,
        default_status=status,
        description="Mails one digest when a backfill has ended: a line for each of its days.",
    )
    def backfill_digest(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        told = [
            backfill.backfill_id
            for backfill in context.instance.get_backfills(limit=_LATEST)
            if _has_just_ended(context.instance, backfill) and _tell(context.instance, backfill)
        ]
        return dg.SkipReason(f"Digests of {len(told)} backfills: {', '.join(told) or 'none'}.")

    return backfill_digest


def _has_just_ended(instance: DagsterInstance, backfill: PartitionBackfill) -> bool:
    """Whether it and all of its runs have ended, the last of them not long ago.

    `dagster job backfill` says that it has ended as soon as its runs are queued.
    """
    ended, recently = backfill.backfill_end_timestamp, SystemClock().now() - RECENT
    if ended is None or _has_run(instance, backfill, statuses=NOT_FINISHED_STATUSES):
        return False
    return ended > recently.timestamp() or _has_run(instance, backfill, updated_after=recently)


def _has_run(instance: DagsterInstance, backfill: PartitionBackfill, **which: Any) -> bool:
    return bool(instance.get_run_ids(RunsFilter(tags=_tags(backfill), **which), limit=1))


def _tags(backfill: PartitionBackfill) -> dict[str, str]:
    return {"dagster/backfill": backfill.backfill_id}


def _tell(instance: DagsterInstance, backfill: PartitionBackfill) -> bool:
    """Put the digest into the outbox; False if it was there, or nothing can be told."""
    runs = instance.get_runs(RunsFilter(tags=_tags(backfill)))
    settings = postgres_settings()
    engine = engine_of(settings)
    with writing(engine) as connection:
        ended = jobs.jobs_of_runs(connection, [run.run_id for run in runs])
        if any(job.status is JobStatus.RUNNING for job in ended):
            return False  # of a run that was killed: it is closed soon
        have_job = {job.call_date for job in ended}
        # A wrong setting breaks each run before it has a job: of all things that must be told.
        ended += [
            _stand_in(instance, connection, run, day)
            for day, run in _broken(runs).items()
            if day not in have_job
        ]
        if not ended:
            return False
        return outbox.enqueue(
            connection,
            outbox.Kind.DIGEST,
            compose_digest(ended, backfill.backfill_id, letterhead_of(settings)),
            about=f"backfill {backfill.backfill_id}",
            outcome=backfill.status.value,
            now=SystemClock().now(),
        )


def _broken(runs: Sequence[dg.DagsterRun]) -> dict[date, dg.DagsterRun]:
    """The last run of each day, if it failed or was canceled; `runs` come latest first."""
    last = {run.tags.get("dagster/partition"): run for run in reversed(runs)}
    return {
        date.fromisoformat(day): run
        for day, run in last.items()
        if day and run.status in _BROKEN and run.job_name != PLAN_JOB_NAME
    }


def _stand_in(
    instance: DagsterInstance, connection: Connection, run: dg.DagsterRun, day: date
) -> Job:
    """For the job of a run that broke before it had one."""
    cause = first_failure(instance, run.run_id) or f"the run ended as {run.status.value}"
    counts = accounts.count_day(connection, day)
    status, now = _BROKEN[run.status], SystemClock().now()
    return Job.of_failed_run(run.run_id, day, cause, now, counts, status=status)
