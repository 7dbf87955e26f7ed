"""One message about a whole backfill, instead of one for each of its days."""

from datetime import timedelta

import dagster as dg
from dagster import DagsterInstance, RunsFilter
from dagster._core.execution.backfill import PartitionBackfill

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import engine_of, texts_of
from audio_extract_dagster.database.connection import database_errors
from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.defs.resources import postgres_settings
from audio_extract_dagster.notify import outbox
from audio_extract_dagster.notify.message import compose_digest

# Older backfills ended before anybody could be told; a new installation does not tell them.
RECENT = timedelta(days=2)
_LATEST = 20


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
            if _has_just_ended(backfill) and _tell(context.instance, backfill)
        ]
        return dg.SkipReason(f"Digests of {len(told)} backfills: {', '.join(told) or 'none'}.")

    return backfill_digest


def _has_just_ended(backfill: PartitionBackfill) -> bool:
    ended = backfill.backfill_end_timestamp
    return ended is not None and SystemClock().now().timestamp() - ended < RECENT.total_seconds()


def _tell(instance: DagsterInstance, backfill: PartitionBackfill) -> bool:
    """Put the digest into the outbox; False if it was there, or no run of it had a job."""
    runs = instance.get_runs(RunsFilter(tags={"dagster/backfill": backfill.backfill_id}))
    settings = postgres_settings()
    engine = engine_of(settings)
    with database_errors(engine), engine.begin() as connection:
        of_runs = jobs.jobs_of_runs(connection, [run.run_id for run in runs])
        if not of_runs:
            return False
        message = compose_digest(of_runs, opening=settings.email_message, texts=texts_of(settings))
        return outbox.enqueue(
            connection,
            f"backfill {backfill.backfill_id}",
            backfill.status.value,
            "digest",
            None,
            message,
            SystemClock().now(),
        )
