"""When the schedule ticked last and ticks next. What a tick asks for is in `extraction/due.py`."""

from datetime import datetime, timedelta, timezone
from itertools import islice

from dagster._utils.schedules import cron_string_iterator

from audio_extract_dagster.business_days import BusinessDays

_TICKS_OF_A_WEEK = 7 * 24 * 60  # of a cron expression, which knows no seconds


def last_tick(cron: str, days: BusinessDays, moment: datetime) -> datetime | None:
    """The latest time at or before `moment` at which the schedule asks for days; None for never."""
    return _nearest_tick(cron, days, moment, ascending=False)


def next_tick(cron: str, days: BusinessDays, moment: datetime) -> datetime | None:
    """The earliest time after `moment` at which the schedule asks for days; None for never."""
    return _nearest_tick(cron, days, moment + timedelta(seconds=1), ascending=True)


def _nearest_tick(
    cron: str, days: BusinessDays, moment: datetime, *, ascending: bool
) -> datetime | None:
    ticks = cron_string_iterator(moment.timestamp(), cron, days.timezone.key, ascending=ascending)
    for tick in islice(ticks, _TICKS_OF_A_WEEK):
        if tick.weekday() not in days.excluded_weekdays:
            return tick.astimezone(timezone.utc)
    return None
