"""Tells people when a day was due and nothing ran: a schedule that is off says nothing itself."""

from datetime import timedelta

import dagster as dg

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import engine_of, letterhead_of
from audio_extract_dagster.database.connection import writing
from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.defs.ticks import last_tick
from audio_extract_dagster.extraction.due import day_of_tick
from audio_extract_dagster.notify import outbox
from audio_extract_dagster.notify.message import compose_not_run
from audio_extract_dagster.startup import postgres_settings

# So long after its tick a day has at least begun, also behind a queue.
GRACE = timedelta(hours=2)


def missed_day_sensor(
    days: BusinessDays, cron: str, status: dg.DefaultSensorStatus
) -> dg.SensorDefinition:
    """The sensor for the given calendar and schedule."""

    @dg.sensor(
        name="missed_day",
        minimum_interval_seconds=900,
        default_status=status,
        description=(
            "Mails once if two hours after the schedule's time no run of the day that was due has "
            "begun."
        ),
    )
    def missed_day(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        now = SystemClock().now()
        due = day_of_tick(days, last_tick(cron, days, now - GRACE))
        if due is None:
            return dg.SkipReason("No day has been due yet.")
        settings = postgres_settings()
        engine = engine_of(settings)
        with writing(engine) as connection:
            first = jobs.first_day(connection)
            if first is None or due < first:
                return dg.SkipReason(f"{due} was due; nothing was ever run up to then.")
            if jobs.last_statuses(connection, [due]):
                return dg.SkipReason(f"{due}, the last day that was due, has run.")
            new = outbox.enqueue(
                connection,
                outbox.Kind.NOT_RUN,
                compose_not_run(due, letterhead_of(settings)),
                about=f"due {due}",
                outcome="NOT_RUN",
                call_date=due,
                now=now,
            )
        return dg.SkipReason(f"{due} was due and did not run; {'told' if new else 'was told'}.")

    return missed_day
