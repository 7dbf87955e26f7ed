"""Many days, as a backfill runs them: each once, no Sunday, and Dagster's partitions say so."""

from __future__ import annotations

from datetime import date

import dagster as dg
import pytest

from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.settings import Settings
from audio_extract_dagster.simulator import Fault, Simulator, World
from audio_extract_dagster_tests.defs.location import (
    ASSETS,
    CodeLocation,
    dagster_asks_old_pydantic,
    rows,
)
from audio_extract_dagster_tests.postgres import Database

pytestmark = dagster_asks_old_pydantic

FIRST, LAST = date(2026, 2, 25), date(2026, 3, 10)
"""Two weeks, from Wednesday to Tuesday; `benchmarks/year.py` does a year."""
TAGS = {"dagster/backfill": "two-weeks"}


@pytest.fixture(scope="session")
def world() -> World:
    """Small days: it is their number that matters here."""
    return World(seed=7, calls_per_day=3)


def materialised(instance: dg.DagsterInstance, asset: str) -> set[str]:
    return set(instance.get_materialized_partitions(dg.AssetKey(asset)))


def test_two_weeks_are_done_once_each_and_no_sunday(
    location: CodeLocation, database: Database, instance: dg.DagsterInstance
) -> None:
    partitions = definitions().resolve_assets_def("conversations").partitions_def
    assert isinstance(partitions, dg.DailyPartitionsDefinition)
    keys = partitions.get_partition_keys_in_range(dg.PartitionKeyRange(str(FIRST), str(LAST)))
    days = Settings().business_days.between(FIRST, LAST)
    assert keys == [day.isoformat() for day in days]
    assert len(days) == 12

    assert all(location.run(key, tags=TAGS).success for key in keys)

    for asset in ASSETS:
        assert materialised(instance, asset) == set(keys)
    assert [row["call_date"] for row in rows(database.engine, "daily_report")] == days
    jobs = rows(database.engine, "extraction_jobs")
    assert [job["call_date"] for job in jobs] == days
    assert all(JobStatus(job["status"]).is_done for job in jobs)
    # The digest tells them together.
    assert rows(database.engine, "notifications") == []


def test_a_day_that_breaks_stays_open_and_takes_no_other_with_it(
    location: CodeLocation, instance: dg.DagsterInstance, simulator: Simulator
) -> None:
    first, broken, last = "2026-03-06", "2026-03-07", "2026-03-09"
    assert location.run(first, tags=TAGS).success
    simulator.faults.add(Fault("details_query", "status", times=None, params={"status": 403}))
    assert not location.run(broken, tags=TAGS).success
    simulator.faults.clear()
    assert location.run(last, tags=TAGS).success
    assert materialised(instance, "daily_report") == {first, last}

    assert location.run(broken, tags=TAGS).success
    assert materialised(instance, "daily_report") == {first, broken, last}
