"""Which days a schedule tick asks for, and how the days that are due stand between two ticks.

Pure functions of the calendar, the moment and what `extraction_jobs` says was done; a run key is
never trusted for that, because a day that failed must come back by itself. When the schedule ticks
is known to `defs/ticks.py`.
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


def day_of_tick(days: BusinessDays, tick: datetime | None) -> date | None:
    """The day that is due from this tick on; None if there is no tick, or no day has finished."""
    return None if tick is None else days.latest_finished(tick)


@dataclass(frozen=True)
class Standing:
    """How the latest finished day stands, in words. `is_well`: nobody has to do anything."""

    is_well: bool
    words: str


def latest_day(
    days: BusinessDays,
    now: datetime,
    last_tick: datetime | None,
    last_status: Mapping[date, JobStatus],
    busy: Collection[date],
) -> Standing:
    """How it stands: done, at work, not due yet, or to be run by somebody.

    A day that never ran is not due before the schedule has ticked; until then the day counts that
    was due at the last tick.
    """
    latest = days.latest_finished(now)
    if latest is None:
        return Standing(True, "none yet")
    status = last_status.get(latest)
    if status is not None and status.is_done:
        return Standing(True, f"{latest} {status.value}")
    if latest in busy:
        return Standing(False, f"{latest} is RUNNING: a run works on it now.")
    before = day_of_tick(days, last_tick)
    done = last_status.get(before) if before is not None else None
    if status is None and done is not None and done.is_done:
        return Standing(True, f"{before} {done.value}; {latest} is due at the next tick")
    how = "never ran" if status is None else f"is {status.value}"
    gone = ", but its run is gone" if status is JobStatus.RUNNING else ""
    return Standing(False, f"{latest} {how}{gone}. Run `audio-extract run --date {latest}`.")


@dataclass(frozen=True)
class EarlierDays:
    """The days from `since`, the first ever run, to the latest one: those that are not done."""

    since: date
    asked_again: list[str]
    forgotten: list[str]
    """Too long ago for the schedule: nobody asks for them by themselves."""


def earlier_days(
    days: BusinessDays,
    now: datetime,
    next_tick: datetime | None,
    last_status: Mapping[date, JobStatus],
) -> EarlierDays | None:
    """What was left behind before the latest finished day; None if nothing was run before it.

    What is asked for again is what the next tick looks back at, which may be days away.
    """
    latest = days.latest_finished(now)
    ran = [day for day in last_status if latest is not None and day < latest]
    if latest is None or not ran:
        return None
    again = [] if next_tick is None else look_back(days, next_tick)
    found = EarlierDays(min(ran), [], [])
    for day in days.between(min(ran), latest - timedelta(days=1)):
        for words in days_left_behind(days, day, day, last_status):
            (found.asked_again if day in again else found.forgotten).append(words)
    return found


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
