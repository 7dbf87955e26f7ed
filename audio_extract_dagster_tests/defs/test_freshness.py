"""By when the newest business day must be there."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from audio_extract_dagster.defs.freshness import deadline, freshness
from audio_extract_dagster.settings import Settings
from audio_extract_dagster_tests.defs.location import dagster_asks_old_pydantic

pytestmark = dagster_asks_old_pydantic


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 6 * * 1-6", "0 10 * * 1-6"),
        ("30 5 1 */2 mon", "30 9 1 */2 mon"),
        ("0 19 * * *", "0 23 * * *"),
        ("45 21 * * *", "45 23 * * *"),  # not into the next day
        ("*/30 6 * * 1-6", "0 23 * * 1-6"),  # no single tick to count from
        ("0 6,12 * * 1-6", "0 23 * * 1-6"),
    ],
)
def test_a_day_has_four_hours_after_the_tick_but_not_the_night(cron: str, expected: str) -> None:
    assert deadline(cron) == expected


def test_it_is_the_report_that_must_be_fresh(working_folder: Path) -> None:
    settings = Settings()
    checks, sensor = freshness(
        settings.business_days, settings.schedule_cron, dg.DefaultSensorStatus.STOPPED
    )
    watched = {key.asset_key.to_user_string() for each in checks for key in each.check_keys}
    assert watched == {"daily_report"}
    assert (sensor.name, sensor.default_status) == ("freshness", dg.DefaultSensorStatus.STOPPED)
