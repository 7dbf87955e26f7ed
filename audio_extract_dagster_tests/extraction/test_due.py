"""Which days a tick of the schedule asks for. Lima, where the clocks never change."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.extraction.due import (
    LOOK_BACK,
    DueDay,
    days_left_behind,
    due_days,
    look_back,
)
from audio_extract_dagster.model import JobStatus

ZONE = ZoneInfo("America/Lima")
DAYS = BusinessDays(ZONE, date(2026, 1, 1))
FIRST_RUN = date(2026, 1, 2)
DONE = (JobStatus.SUCCEEDED, JobStatus.INCOMPLETE)

statuses = st.sampled_from(JobStatus) | st.none()


def tick(day: date) -> datetime:
    """Six in the morning of the day."""
    return datetime(day.year, day.month, day.day, 6, tzinfo=ZONE)


def march(day: int) -> date:
    return date(2026, 3, day)


def due(
    now: date, *, days: BusinessDays = DAYS, busy: tuple[date, ...] = (), **statuses: JobStatus
) -> list[tuple[int, str]]:
    """Days of March that are due, and why, if all days are done but for `d5=JobStatus.FAILED`."""
    last = dict.fromkeys(look_back(days, tick(now)), JobStatus.SUCCEEDED)
    last |= {march(int(name[1:])): status for name, status in statuses.items()}
    return [(each.day.day, each.why) for each in due_days(days, tick(now), last, FIRST_RUN, busy)]


LATEST = "the latest finished business day"
SECOND = "second look for late conversations"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (9, [(5, SECOND), (7, LATEST)]),  # Monday: Saturday, and Thursday again
        (10, [(6, SECOND), (9, LATEST)]),
        (11, [(7, SECOND), (10, LATEST)]),
        (12, [(9, SECOND), (11, LATEST)]),
        (13, [(10, SECOND), (12, LATEST)]),
        (14, [(11, SECOND), (13, LATEST)]),
    ],
)
def test_a_week_in_which_all_goes_well(now: int, expected: list[tuple[int, str]]) -> None:
    assert due(march(now)) == expected


def test_each_day_of_a_month_is_asked_for_once_and_looked_at_once_more() -> None:
    asked: list[DueDay] = []
    for day in DAYS.between(date(2026, 3, 2), date(2026, 4, 2)):
        last = dict.fromkeys(look_back(DAYS, tick(day)), JobStatus.SUCCEEDED)
        asked += due_days(DAYS, tick(day), last, FIRST_RUN)
    first = [each.day for each in asked if not each.only_new]
    second = [each.day for each in asked if each.only_new]
    month = DAYS.between(date(2026, 3, 2), date(2026, 3, 30))
    assert [day for day in first if day in month] == month
    assert [day for day in second if day in month] == month


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELED, JobStatus.RUNNING])
def test_a_day_that_is_not_done_comes_back_for_a_week(status: JobStatus) -> None:
    why = f"not done yet (last job {status.value})"
    assert (4, why) in due(march(10), d4=status)
    assert (4, why) in due(march(11), d4=status)
    assert all(day != 4 for day, _ in due(march(12), d4=status))


def test_a_day_that_never_ran_comes_back_too() -> None:
    found = due_days(DAYS, tick(march(10)), {march(9): JobStatus.SUCCEEDED}, march(5))
    assert [(each.day.day, each.why) for each in found] == [
        (5, "not done yet (never run)"),
        (6, "not done yet (never run)"),
        (7, "not done yet (never run)"),
        (9, LATEST),
    ]


def test_an_incomplete_day_is_done_for_the_schedule() -> None:
    assert due(march(10), d4=JobStatus.INCOMPLETE) == [(6, SECOND), (9, LATEST)]


def test_a_failed_day_is_run_whole_instead_of_being_looked_at_again() -> None:
    found = due_days(DAYS, tick(march(10)), {march(6): JobStatus.FAILED}, march(6))
    assert not any(each.only_new for each in found)


def test_the_first_tick_of_all_asks_for_one_day() -> None:
    assert due_days(DAYS, tick(march(10)), {}, None) == [DueDay(march(9), LATEST)]


def test_nothing_is_due_before_the_first_day_is_over() -> None:
    assert due_days(DAYS, tick(DAYS.first), {}, None) == []
    assert look_back(DAYS, tick(DAYS.first)) == []


def test_after_long_holidays_the_last_working_days_are_found() -> None:
    closed = frozenset(march(1) + timedelta(days=n) for n in range(20))
    days = BusinessDays(ZONE, DAYS.first, excluded_dates=closed)
    found = due_days(
        days,
        tick(march(21)),
        dict.fromkeys(look_back(days, tick(march(21))), JobStatus.SUCCEEDED),
        FIRST_RUN,
    )
    assert [each.day for each in found] == [date(2026, 2, 26), date(2026, 2, 28)]


def test_a_day_at_work_is_left_to_the_run_that_works_on_it() -> None:
    assert due(march(10), busy=(march(9), march(4)), d4=JobStatus.RUNNING) == [(6, SECOND)]


def test_days_left_behind_are_those_that_are_not_done_each_with_how_it_stands() -> None:
    last = {march(5): JobStatus.SUCCEEDED, march(6): JobStatus.FAILED, march(9): JobStatus.RUNNING}
    last |= {march(4): JobStatus.CANCELED, march(11): JobStatus.INCOMPLETE}
    behind = days_left_behind(DAYS, march(5), march(11), last)  # the 8th is a Sunday
    assert behind == [
        "2026-03-06 (FAILED)",
        "2026-03-07 (never run)",
        "2026-03-09 (RUNNING)",
        "2026-03-10 (never run)",
    ]
    assert days_left_behind(DAYS, march(8), march(8), {}) == []


@st.composite
def histories(draw: st.DrawFn) -> tuple[datetime, dict[date, JobStatus], date | None]:
    now = tick(draw(st.dates(date(2026, 1, 1), date(2027, 1, 1))))
    considered = [now.date() - timedelta(days=n) for n in range(1, 20)]
    drawn = {day: draw(statuses) for day in considered}
    return (
        now,
        {day: status for day, status in drawn.items() if status is not None},
        draw(st.none() | st.sampled_from(considered)),
    )


@given(histories())
def test_whatever_happened_before(
    history: tuple[datetime, dict[date, JobStatus], date | None],
) -> None:
    now, last, first_run = history
    asked = [each.day for each in due_days(DAYS, now, last, first_run)]
    latest = DAYS.latest_finished(now)
    assert asked == sorted(set(asked))
    assert all(day in DAYS and DAYS.is_finished(day, now) for day in asked)
    assert all(day == latest or (first_run is not None and first_run <= day) for day in asked)
    assert latest is None or latest in asked
    if latest is not None and first_run is not None:
        open_days = {
            day
            for day in DAYS.between(max(first_run, now.date() - LOOK_BACK), latest)
            if last.get(day) not in DONE
        }
        assert open_days <= set(asked)
