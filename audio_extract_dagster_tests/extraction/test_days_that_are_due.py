"""How the days that are due stand between two ticks of the schedule, six in the morning in Lima."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.extraction.due import (
    EarlierDays,
    Standing,
    day_of_tick,
    earlier_days,
    latest_day,
)
from audio_extract_dagster.model import JobStatus

DAYS = BusinessDays(ZoneInfo("America/Lima"), date(2026, 1, 1))
DONE, FAILED, RUNNING = JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.RUNNING


def march(day: int) -> date:
    return date(2026, 3, day)


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=DAYS.timezone)


@pytest.mark.parametrize(
    ("statuses", "busy", "expected"),
    [
        ({11: DONE}, (), Standing(True, "2026-03-11 SUCCEEDED")),
        (
            {11: RUNNING},
            (11,),
            Standing(False, "2026-03-11 is RUNNING: a run works on it now."),
        ),
        (
            {11: RUNNING},
            (),
            Standing(
                False,
                "2026-03-11 is RUNNING, but its run is gone. "
                "Run `audio-extract run --date 2026-03-11`.",
            ),
        ),
        (
            {10: DONE, 11: FAILED},
            (),
            Standing(False, "2026-03-11 is FAILED. Run `audio-extract run --date 2026-03-11`."),
        ),
        (
            {10: DONE},
            (),
            Standing(True, "2026-03-10 SUCCEEDED; 2026-03-11 is due at the next tick"),
        ),
        (
            {10: FAILED},
            (),
            Standing(False, "2026-03-11 never ran. Run `audio-extract run --date 2026-03-11`."),
        ),
    ],
)
def test_the_latest_day_at_five_in_the_morning(
    statuses: dict[int, JobStatus], busy: tuple[int, ...], expected: Standing
) -> None:
    last = {march(day): status for day, status in statuses.items()}
    works = [march(day) for day in busy]
    assert latest_day(DAYS, at(12, 5), at(11, 6), last, works) == expected


def test_a_day_that_never_ran_is_due_once_the_schedule_has_ticked() -> None:
    found = latest_day(DAYS, at(12, 7), at(12, 6), {march(10): DONE}, ())
    assert not found.is_well


def test_before_the_first_day_is_over_nothing_is_due() -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=DAYS.timezone)
    assert latest_day(DAYS, now, now, {}, ()) == Standing(True, "none yet")
    assert earlier_days(DAYS, now, now, {march(10): DONE}) is None
    assert day_of_tick(DAYS, now) is None
    assert day_of_tick(DAYS, None) is None


def test_what_the_next_tick_no_longer_looks_back_at_is_not_asked_for_again() -> None:
    """On Saturday at noon the next tick is that of Monday."""
    last = dict.fromkeys(DAYS.between(march(2), march(13)), DONE)
    last |= {march(7): FAILED, march(9): FAILED}
    found = earlier_days(DAYS, at(14, 12), at(16, 6), last)
    assert found == EarlierDays(
        march(2), asked_again=["2026-03-09 (FAILED)"], forgotten=["2026-03-07 (FAILED)"]
    )
    # The same at midnight, before Saturday's tick.
    soon = earlier_days(DAYS, at(14, 0), at(14, 6), last)
    assert soon is not None
    assert soon.asked_again == ["2026-03-07 (FAILED)", "2026-03-09 (FAILED)"]


def test_a_schedule_that_never_ticks_asks_for_nothing_again() -> None:
    found = earlier_days(DAYS, at(14, 12), None, {march(7): FAILED})
    assert found is not None
    assert found.asked_again == []
    assert len(found.forgotten) == len(DAYS.between(march(7), march(12)))


def test_what_lies_before_the_first_run_is_nobodys() -> None:
    assert earlier_days(DAYS, at(14, 12), at(16, 6), {march(13): FAILED}) is None
    found = earlier_days(DAYS, at(14, 12), at(16, 6), {march(12): DONE, march(13): FAILED})
    assert found == EarlierDays(march(12), [], [])
    assert march(13) - found.since == timedelta(days=1)
