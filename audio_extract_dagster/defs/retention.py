"""The job that deletes what is older than `RETENTION_DAYS`, and the schedule that starts it."""

from collections.abc import Mapping

import dagster as dg

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import expire_of
from audio_extract_dagster.defs.failures import dagster_failures
from audio_extract_dagster.extraction.retention import ExpiredDay
from audio_extract_dagster.startup import postgres_settings

RETENTION_JOB_NAME = "expire_old_days"
# In the small hours of TIMEZONE, when no day is extracted.
_CRON = "30 2 * * *"


def retention_job() -> dg.JobDefinition:
    """The job; the command `audio-extract expire` does the same, and fails for the same."""

    @dg.op(description="Deletes audio, payloads, phone numbers that are too old; keeps the rows.")
    def expire_days(context: dg.OpExecutionContext) -> None:
        with dagster_failures():
            settings = postgres_settings()
            if settings.retention_days is None:
                context.log.info("RETENTION_DAYS is not set: everything is kept.")
                return
            before, days = expire_of(settings, settings.retention_days, SystemClock())
            done = list(days)
        context.add_output_metadata({"kept_from": str(before), **_metadata(done)})

    @dg.job(
        name=RETENTION_JOB_NAME,
        executor_def=dg.in_process_executor,
        description=(
            "Deletes what is older than RETENTION_DAYS; the rows stay, with the reason. The "
            "schedule retention starts it each night, the command audio-extract expire does the "
            "same."
        ),
    )
    def expire_old_days() -> None:
        expire_days()

    return expire_old_days


def retention_schedule(
    job: dg.JobDefinition, days: BusinessDays, status: dg.DefaultScheduleStatus
) -> dg.ScheduleDefinition:
    """Every night, on if `RETENTION_DAYS` is set."""
    return dg.ScheduleDefinition(
        name="retention",
        job=job,
        cron_schedule=_CRON,
        execution_timezone=days.timezone.key,
        default_status=status,
        description=(
            f"Starts the job {RETENTION_JOB_NAME} each night, which deletes what is older than "
            "RETENTION_DAYS; off without it."
        ),
    )


def _metadata(done: list[ExpiredDay]) -> Mapping[str, int]:
    return {
        "days": len(done),
        "files": sum(each.files for each in done),
        "bytes": sum(each.bytes for each in done),
        "payloads": sum(each.payloads for each in done),
    }
