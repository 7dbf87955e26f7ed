"""The daily schedule: ticks on working days and asks for every day that is due."""

import dagster as dg

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.composition import engine_of
from audio_extract_dagster.database.connection import reading
from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.database.locks import busy_days
from audio_extract_dagster.defs.assets.audio import audio_config
from audio_extract_dagster.defs.jobs import JOB_NAME
from audio_extract_dagster.extraction.due import DueDay, due_days, look_back
from audio_extract_dagster.model import Ask
from audio_extract_dagster.startup import postgres_settings


def daily_schedule(
    days: BusinessDays, cron: str, status: dg.DefaultScheduleStatus
) -> dg.ScheduleDefinition:
    """The schedule for the given calendar."""

    @dg.schedule(
        name="daily_extraction",
        cron_schedule=cron,
        execution_timezone=days.timezone.key,
        job_name=JOB_NAME,
        default_status=status,
        description=(
            "Asks for the latest finished business day, for every one of the last 7 days that is "
            "not done, and for a second look at the day two before the latest. Not on "
            "EXCLUDED_WEEKDAYS."
        ),
    )
    def daily_extraction(
        context: dg.ScheduleEvaluationContext,
    ) -> list[dg.RunRequest] | dg.SkipReason:
        now = context.scheduled_execution_time
        today = days.day_of(now)
        if today.weekday() in days.excluded_weekdays:
            return dg.SkipReason(f"{today} is no working day: {days.why_not(today)}.")
        considered = look_back(days, now)
        if not considered:
            return dg.SkipReason(f"No business day has finished yet (START_DATE {days.first}).")
        settings = postgres_settings()
        engine = engine_of(settings)
        with reading(engine) as connection:
            done = jobs.last_statuses(connection, considered)
            first = jobs.first_day(connection)
        busy = busy_days(engine, settings.pg_schema, done)
        due = due_days(days, now, done, first, busy)
        context.log.info("; ".join(f"{each.day}: {each.why}" for each in due))
        return [_request(each, now.isoformat()) for each in due]

    return daily_extraction


def _request(due: DueDay, tick: str) -> dg.RunRequest:
    day = due.day.isoformat()
    # The run key only keeps one tick from asking twice; what is done is read from the tables.
    return dg.RunRequest(
        run_key=f"{day} at {tick}",
        partition_key=day,
        run_config=audio_config(Ask.NEW_CALLS) if due.only_new else {},
        # Before the days of a backfill: yesterday need not wait for all of them.
        tags={"audio_extract/why": due.why, "dagster/priority": "1"},
    )
