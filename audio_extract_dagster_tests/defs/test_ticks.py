"""When the schedule ticks. On a Sunday it may, and asks for nothing."""

from __future__ import annotations

from datetime import date, datetime, timezone
from zoneinfo import ZoneInfo

import pytest

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.defs.ticks import last_tick, next_tick

DAYS = BusinessDays(ZoneInfo("America/Lima"), first=date(2024, 1, 1))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("moment", "last", "following"),
    [
        ("2026-03-11T11:00", "2026-03-11T11:00", "2026-03-12T11:00"),
        ("2026-03-11T10:59", "2026-03-10T11:00", "2026-03-11T11:00"),
        ("2026-03-07T12:00", "2026-03-07T11:00", "2026-03-09T11:00"),  # a Saturday
        ("2026-03-08T12:00", "2026-03-07T11:00", "2026-03-09T11:00"),
    ],
)
@pytest.mark.parametrize("cron", ["0 6 * * 1-6", "0 6 * * *"])
def test_the_ticks_before_and_after_a_moment(
    moment: str, last: str, following: str, cron: str
) -> None:
    assert last_tick(cron, DAYS, utc(moment)) == utc(last)
    assert next_tick(cron, DAYS, utc(moment)) == utc(following)


def test_a_schedule_that_never_asks_has_no_ticks() -> None:
    assert last_tick("0 6 * * 0", DAYS, utc("2026-03-08T12:00")) is None
    assert next_tick("0 6 * * 0", DAYS, utc("2026-03-08T12:00")) is None
