"""By when the newest business day must be there, and that nothing else can stand in for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import freeze_time

from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.assets.daily_report import daily_report_asset
from audio_extract_dagster.defs.freshness import deadline, freshness
from audio_extract_dagster.defs.partitions import daily_partitions
from audio_extract_dagster.settings import Settings
from audio_extract_dagster_tests.defs.location import QUIET, dagster_asks_old_pydantic

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


@dataclass(frozen=True)
class Watched:
    """The report's freshness as Dagster's own memory of partitions shows it, at any moment."""

    instance: dg.DagsterInstance

    def made(self, *days: str) -> None:
        """These days have a report by now."""
        for day in days:
            self.instance.report_runless_asset_event(
                dg.AssetMaterialization("daily_report", partition=day)
            )

    def looked_at(self, moment: str) -> dg.AssetCheckEvaluation:
        """What the check says at a moment of the business."""
        days = Settings().business_days
        checks, _ = freshness(days, Settings().schedule_cron, dg.DefaultSensorStatus.STOPPED)
        location = dg.Definitions(
            assets=[daily_report_asset(daily_partitions(days))],
            asset_checks=checks,
            jobs=[dg.define_asset_job("look", dg.AssetSelection.checks(*checks))],
            resources=definitions().resources,
        )
        now = datetime.fromisoformat(moment).replace(tzinfo=days.timezone)
        with freeze_time(now):
            result = location.resolve_job_def("look").execute_in_process(
                instance=self.instance, run_config=QUIET
            )
        (evaluation,) = result.get_asset_check_evaluations()
        return evaluation


@pytest.fixture
def watched(working_folder: Path, instance: dg.DagsterInstance) -> Watched:
    return Watched(instance)


@pytest.mark.parametrize(
    ("moment", "last"),
    [
        ("2026-03-11 12:00", "2026-03-10"),
        ("2026-03-11 09:59", "2026-03-09"),  # Tuesday has until ten o'clock
        ("2026-03-09 12:00", "2026-03-07"),  # on Monday it is Saturday that must be there
        ("2026-03-08 12:00", "2026-03-06"),  # on Sunday nothing new is asked of anybody
    ],
)
def test_the_last_business_day_must_be_there_in_time(
    watched: Watched, moment: str, last: str
) -> None:
    assert not watched.looked_at(moment).passed
    watched.made(last)
    assert watched.looked_at(moment).passed


def test_a_day_that_is_missing_is_told(watched: Watched) -> None:
    watched.made("2026-03-06", "2026-03-07", "2026-03-09")
    found = watched.looked_at("2026-03-11 12:00")
    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.WARN
    assert "2026-03-10" in str(found.description)


def test_a_backfill_of_old_days_does_not_count(watched: Watched) -> None:
    watched.made("2026-03-09")
    watched.made(*(f"2026-02-{day:02}" for day in range(2, 29) if day % 7 != 1))
    assert not watched.looked_at("2026-03-11 12:00").passed
