"""The calendar: days tile time, whatever the clocks do, and only business days are extracted."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_extract_dagster.business_days import BusinessDays

LIMA = BusinessDays(ZoneInfo("America/Lima"), date(2024, 1, 1))

zones = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
moments = st.datetimes(datetime(2012, 1, 1), datetime(2036, 1, 1), timezones=st.just(timezone.utc))  # noqa: DTZ001
dates = st.dates(date(1950, 1, 1), date(2100, 1, 1))


@st.composite
def calendars(draw: st.DrawFn) -> BusinessDays:
    """Any calendar that leaves at least one day of the week."""
    return BusinessDays(
        timezone=draw(zones),
        first=draw(st.dates(date(2015, 1, 1), date(2026, 1, 1))),
        excluded_weekdays=draw(st.frozensets(st.integers(0, 6), max_size=6)),
        excluded_dates=draw(st.frozensets(st.dates(date(2024, 1, 1), date(2026, 1, 1)))),
        excluded_yearly=draw(st.frozensets(st.sampled_from([(1, 1), (2, 29), (7, 28)]))),
    )


@given(zones, dates)
def test_days_tile_time(zone: ZoneInfo, day: date) -> None:
    days = BusinessDays(zone, day)
    window = days.window(day)
    assert window.start <= window.end
    assert window.end == days.window(day + timedelta(days=1)).start


@given(zones, moments)
def test_each_moment_belongs_to_the_one_day_that_the_clock_on_the_wall_shows(
    zone: ZoneInfo, moment: datetime
) -> None:
    days = BusinessDays(zone, date(2010, 1, 1))
    today = days.day_of(moment)
    neighbours = [today + timedelta(days=offset) for offset in (-1, 0, 1)]
    assert [day for day in neighbours if moment in days.window(day)] == [today]


def test_a_day_of_lima_starts_at_five_utc() -> None:
    window = LIMA.window(date(2026, 3, 10))
    assert window.start == datetime(2026, 3, 10, 5, tzinfo=timezone.utc)
    assert window.start in window
    assert window.end not in window
    assert window.end - timedelta(microseconds=1) in window


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Madrid", date(2026, 3, 29), 23),
        ("Europe/Madrid", date(2026, 10, 25), 25),
        # Midnight itself does not exist on this day.
        ("America/Santiago", date(2026, 9, 6), 23),
        # Midnight comes twice on this one.
        ("America/Havana", date(2026, 11, 1), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        # The island jumped over the date line.
        ("Pacific/Apia", date(2011, 12, 30), 0),
    ],
)
def test_a_day_lasts_as_long_as_the_clocks_say(zone: str, day: date, hours: float) -> None:
    window = BusinessDays(ZoneInfo(zone), day).window(day)
    assert window.end - window.start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2023, 12, 30), "it is before START_DATE (2024-01-01)"),
        (date(2026, 3, 8), "it is a Sunday (EXCLUDED_WEEKDAYS)"),
        (date(2026, 7, 28), "it is a holiday (EXCLUDED_DATES)"),
        (date(2026, 4, 3), "it is a holiday (EXCLUDED_DATES)"),
        (date(2026, 3, 7), None),
    ],
)
def test_what_is_no_business_day_has_a_reason(day: date, why: str | None) -> None:
    days = BusinessDays(
        LIMA.timezone,
        LIMA.first,
        excluded_dates=frozenset({date(2026, 4, 3)}),
        excluded_yearly=frozenset({(7, 28)}),
    )
    assert days.why_not(day) == why
    assert (day in days) is (why is None)


def test_a_day_is_finished_when_its_last_moment_is_over() -> None:
    day = date(2026, 3, 10)
    end = LIMA.window(day).end
    assert LIMA.is_finished(day, end)
    assert not LIMA.is_finished(day, end - timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("now", "latest"),
    [
        ("2026-03-09T06:00-05:00", date(2026, 3, 7)),  # Monday: Saturday
        ("2026-03-10T06:00-05:00", date(2026, 3, 9)),
        ("2026-03-08T06:00-05:00", date(2026, 3, 7)),  # Sunday: Saturday
        ("2026-03-11T04:59+00:00", date(2026, 3, 9)),  # still the 10th in Lima
        ("2024-01-01T12:00-05:00", None),  # the first day is not over
        ("2024-01-02T00:00-05:00", date(2024, 1, 1)),
    ],
)
def test_the_latest_finished_business_day(now: str, latest: date | None) -> None:
    assert LIMA.latest_finished(datetime.fromisoformat(now)) == latest


@given(calendars(), moments)
def test_the_latest_finished_day_is_the_last_of_those_that_are_over(
    days: BusinessDays, now: datetime
) -> None:
    today = days.day_of(now)
    finished = [
        day
        for day in days.between(max(days.first, today - timedelta(days=60)), today)
        if days.is_finished(day, now)
    ]
    assert days.latest_finished(now) == (finished[-1] if finished else None)


@given(calendars(), st.dates(date(2015, 1, 1), date(2027, 1, 1)), st.integers(-3, 40))
def test_between_gives_each_business_day_once_in_order(
    days: BusinessDays, first: date, length: int
) -> None:
    last = first + timedelta(days=length)
    found = days.between(first, last)
    assert found == sorted(set(found))
    assert all(first <= day <= last and days.why_not(day) is None for day in found)
    if first <= last:  # both of which are included
        assert [day in found for day in (first, last)] == [day in days for day in (first, last)]
