"""The business calendar as Dagster partitions."""

from datetime import datetime, time

import dagster as dg

from audio_extract_dagster.business_days import BusinessDays


def daily_partitions(days: BusinessDays) -> dg.DailyPartitionsDefinition:
    """One partition for each business day.

    Exclusions and not a weekday cron: with a cron that skips Sundays, Saturday's window would
    swallow the Sunday. A cron string excludes a day only if it ticks at its midnight.
    """
    # Cron counts Sunday as 0, Python counts Monday as 0.
    weekdays = [f"0 0 * * {(weekday + 1) % 7}" for weekday in sorted(days.excluded_weekdays)]
    yearly = [f"0 0 {day} {month} *" for month, day in sorted(days.excluded_yearly)]
    once = [datetime.combine(day, time.min) for day in sorted(days.excluded_dates)]
    return dg.DailyPartitionsDefinition(
        start_date=days.first.isoformat(),
        timezone=days.timezone.key,
        exclusions=[*weekdays, *yearly, *once],
    )
