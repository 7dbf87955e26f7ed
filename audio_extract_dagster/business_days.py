"""The business calendar: which days are extracted, and which instants belong to a day.

Pure date arithmetic: no clock, no database, no Dagster. What is *due* is decided in
`extraction/due.py`; this file only says what a day is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Window(NamedTuple):
    """A half-open span of time, `start <= moment < end`, both aware and in UTC."""

    start: datetime
    end: datetime

    def __contains__(self, moment: object) -> bool:
        return isinstance(moment, datetime) and self.start <= moment < self.end


@dataclass(frozen=True)
class BusinessDays:
    """The working days of a contact centre.

    `excluded_weekdays` counts Monday as 0; `excluded_yearly` holds (month, day) pairs that come
    back every year. A day runs from local midnight to local midnight, so it lasts 23 or 25 hours
    where the clocks change.
    """

    timezone: ZoneInfo
    first: date
    excluded_weekdays: frozenset[int] = frozenset({6})
    excluded_dates: frozenset[date] = field(default_factory=frozenset)
    excluded_yearly: frozenset[tuple[int, int]] = field(default_factory=frozenset)

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.why_not(day) is None

    def why_not(self, day: date) -> str | None:
        """Why `day` is no business day, in words, or None if it is one."""
        if day < self.first:
            return f"it is before START_DATE ({self.first})"
        if day.weekday() in self.excluded_weekdays:
            return f"it is a {WEEKDAYS[day.weekday()].capitalize()} (EXCLUDED_WEEKDAYS)"
        if day in self.excluded_dates or (day.month, day.day) in self.excluded_yearly:
            return "it is a holiday (EXCLUDED_DATES)"
        return None

    def window(self, day: date) -> Window:
        """The instants that belong to `day`. Neighbouring days share their border exactly."""
        return Window(self._midnight(day), self._midnight(day + timedelta(days=1)))

    def day_of(self, moment: datetime) -> date:
        """The local date of an aware moment."""
        return moment.astimezone(self.timezone).date()

    def is_finished(self, day: date, now: datetime) -> bool:
        """Whether the whole of `day` lies in the past."""
        return self.window(day).end <= now

    def latest_finished(self, now: datetime) -> date | None:
        """The newest business day that is over, or None before there is one."""
        return self.before(self.day_of(now))

    def before(self, day: date) -> date | None:
        """The business day before `day`, or None if there is none."""
        return next(self._backwards(day - timedelta(days=1)), None)

    def between(self, first: date, last: date) -> list[date]:
        """The business days from `first` to `last`, both included, oldest first."""
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [day for day in days if day in self]

    def _backwards(self, day: date) -> Iterator[date]:
        while day >= self.first:
            if day in self:
                yield day
            day -= timedelta(days=1)

    def _midnight(self, day: date) -> datetime:
        local = datetime.combine(day, time.min, tzinfo=self.timezone)
        return local.astimezone(timezone.utc)
