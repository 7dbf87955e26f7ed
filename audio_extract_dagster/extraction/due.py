"""Which days a schedule tick asks for.

A pure function of the calendar, the moment and what `extraction_jobs` says was done; a run key is
never trusted for that, because a day that failed must come back by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.model import JobStatus

LOOK_BACK = timedelta(days=7)


@dataclass(frozen=True)
class DueDay:
    """A day to run, and why. `only_new`: only calls that were never asked for."""

    day: date
    why: str
    only_new: bool = False


def look_back(days: BusinessDays, now: datetime) -> list[date]:
    """The finished business days that a tick at `now` considers, oldest first."""
    latest = days.latest_finished(now)
    if latest is None:
        return []
    week = days.between(days.day_of(now) - LOOK_BACK, latest)
    second = _second_look(days, latest)
    # After holidays the day before last may lie further back than the week.
    return sorted({*week, latest, *([second] if second else [])})


def due_days(
    days: BusinessDays,
    now: datetime,
    last_status: Mapping[date, JobStatus],
    first_day_run: date | None,
    busy: Collection[date] = (),
) -> list[DueDay]:
    """The days to ask for, oldest first, each once.

    They are the latest finished business day; every one of the last 7 days whose last job is not
    done, but none before the first day ever run; and a second look at the business day two before
    the latest, for conversations that reached Genesys late. Days that are `busy`, because a run
    works on them now, are left to that run.
    """
    latest = days.latest_finished(now)
    if latest is None:
        return []
    due: list[DueDay] = []
    second = _second_look(days, latest)
    for day in look_back(days, now):
        status = last_status.get(day)
        if day in busy:
            continue
        if day == latest:
            due.append(DueDay(day, "the latest finished business day"))
        elif first_day_run is None or day < first_day_run:
            continue
        elif status is None or not status.is_done:
            was = "never run" if status is None else f"last job {status.value}"
            due.append(DueDay(day, f"not done yet ({was})"))
        elif day == second:
            due.append(DueDay(day, "second look for late conversations", only_new=True))
    return due


def days_left_behind(
    days: BusinessDays, first: date, last: date, last_status: Mapping[date, JobStatus]
) -> list[str]:
    """The business days from `first` to `last` that are not done, each with how it stands."""
    found = []
    for day in days.between(first, last):
        status = last_status.get(day)
        if status is None or not status.is_done:
            found.append(f"{day} ({'never run' if status is None else status.value})")
    return found


def _second_look(days: BusinessDays, latest: date) -> date | None:
    before = days.before(latest)
    return days.before(before) if before else None
