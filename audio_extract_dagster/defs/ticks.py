"""When the schedule ticked last: a day is due from then on. What a tick asks for is in `due.py`."""

from datetime import datetime, timezone
from itertools import islice

from dagster._utils.schedules import reverse_cron_string_iterator

from audio_extract_dagster.business_days import BusinessDays

_TICKS_OF_A_WEEK = 7 * 24 * 60  # of a cron expression, which knows no seconds


def last_tick(cron: str, days: BusinessDays, moment: datetime) -> datetime | None:
    """The latest time at or before `moment` at which the schedule asks for days; None for never."""
    ticks = reverse_cron_string_iterator(moment.timestamp(), cron, days.timezone.key)
    for tick in islice(ticks, _TICKS_OF_A_WEEK):
        if tick.weekday() not in days.excluded_weekdays:
            return tick.astimezone(timezone.utc)
    return None
