"""Asks again for days whose audio is not all there yet."""

from datetime import datetime, timedelta

import dagster as dg

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import engine_of
from audio_extract_dagster.database.connection import reading
from audio_extract_dagster.database.ledger import jobs, waiting
from audio_extract_dagster.database.locks import busy_days
from audio_extract_dagster.defs.jobs import JOB_NAME
from audio_extract_dagster.extraction.late_audio import (
    LOOKED_AT_FOR,
    AskAgain,
    days_to_ask_again,
)
from audio_extract_dagster.startup import postgres_settings


def late_audio_sensor(days: BusinessDays, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """The sensor for the given calendar."""

    @dg.sensor(
        name="late_audio",
        job_name=JOB_NAME,
        minimum_interval_seconds=300,
        default_status=status,
        description=(
            "Asks again, with growing pauses, for days with recordings that Genesys did not have "
            "yet, until they are stored or LATE_AUDIO_DAYS are over. Calls that may get more are "
            "asked for a day after they have ended, and looked at weekly while they are open, as "
            "are open conversations without an agent."
        ),
    )
    def late_audio(
        context: dg.SensorEvaluationContext,
    ) -> list[dg.RunRequest] | dg.SkipReason:
        settings = postgres_settings()
        engine = engine_of(settings)
        now = SystemClock().now()
        with reading(engine) as connection:
            groups = waiting.open_records(connection)
            calls = [
                *waiting.calls_to_look_at(connection),
                *waiting.conversations_to_look_at(connection, now - LOOKED_AT_FOR),
            ]
            days_open = {group.call_date for group in groups} | {c.call_date for c in calls}
            last = jobs.last_jobs(connection, days_open)
        due = days_to_ask_again(
            groups,
            now,
            timedelta(days=settings.late_audio_days),
            last,
            busy_days(engine, settings.pg_schema, {day: job.status for day, job in last.items()}),
            calls=calls,
        )
        # A day that was excluded later is no partition any more.
        requests = [_request(each, now) for each in due if each.day in days]
        if not requests:
            open_count = sum(group.count for group in groups)
            more = sum(some.count for some in calls)
            return dg.SkipReason(
                f"{open_count} recordings are open, {more} calls may get more or an agent; "
                "none is due."
            )
        return requests

    return late_audio


def _request(again: AskAgain, now: datetime) -> dg.RunRequest:
    day = again.day.isoformat()
    return dg.RunRequest(
        # In a sensor a run key counts for ever: the run that this one follows makes it new, and the
        # date, should the run asked for have ended before it had a job.
        run_key=f"{day} after {again.after} on {now:%Y-%m-%d}",
        partition_key=day,
        tags={"audio_extract/why": f"late audio: {again.why}"},
    )
