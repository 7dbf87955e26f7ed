"""The code location as Dagster loads it, on a clock that jumps, and what its runs leave behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Engine, Table, select

from audio_extract_dagster.database.tables import metadata
from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.jobs import JOB_NAME
from audio_extract_dagster.defs.resources import (
    DayRunResource,
    DownloaderResource,
    GenesysResource,
)
from audio_extract_dagster_tests.fake_clock import FakeClock

DAY = "2026-03-10"
"""A Tuesday. The clock of the tests stands at six in the morning of the Wednesday, in Lima."""

ASSETS = {"conversations", "agent_calls", "audio_batches", "audio_records", "daily_report"}

CHECKS = {"listing_is_complete", "calls_add_up", "calls_have_records", "day_is_accounted_for"}
"""Those that the promise stands on; there are more."""

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""What runs log is kept with them; a test's output is for what the test says."""

dagster_asks_old_pydantic = pytest.mark.filterwarnings(
    # Dagster reads a model without fields by a name that Pydantic has given up.
    "ignore:The `__fields__` attribute is deprecated:DeprecationWarning"
)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class CodeLocation:
    """What runs days for a test. Waiting is free."""

    clock: FakeClock
    instance: dg.DagsterInstance

    def run(
        self, day: str = DAY, *, tags: Mapping[str, str] | None = None
    ) -> dg.ExecuteInProcessResult:
        """Run the job of a day; a failure is a result, too."""
        return (
            definitions()
            .resolve_job_def(JOB_NAME)
            .execute_in_process(
                instance=self.instance,
                partition_key=day,
                resources=self.resources(),
                run_config=QUIET,
                tags=tags,
                raise_on_error=False,
            )
        )

    def run_only(self, *assets: str) -> dg.ExecuteInProcessResult:
        """Make these assets alone. On the real clock: Dagster takes no other resources then."""
        return (
            definitions()
            .resolve_job_def(JOB_NAME)
            .execute_in_process(
                instance=self.instance,
                partition_key=DAY,
                asset_selection=[dg.AssetKey(asset) for asset in assets],
                run_config=QUIET,
                raise_on_error=False,
            )
        )

    def run_check(self, asset: str, check: str) -> dg.ExecuteInProcessResult:
        """Execute a check alone, as its button in the UI does."""
        key = dg.AssetCheckKey(dg.AssetKey(asset), check)
        return (
            definitions()
            .resolve_job_def(JOB_NAME)
            .get_subset(asset_selection=set(), asset_check_selection={key})
            .execute_in_process(
                instance=self.instance,
                partition_key=DAY,
                run_config=QUIET,
                raise_on_error=False,
            )
        )

    def resources(self) -> dict[str, object]:
        """The resources that wait, on the clock of the test."""
        return {
            "genesys": GenesysResource(clock=self.clock),
            "downloader": DownloaderResource(clock=self.clock),
            "day_run": DayRunResource(clock=self.clock),
        }


def rows(engine: Engine, table: str) -> list[Row]:
    """Everything in a table, in the order of its key; jobs in the order of their start."""
    of: Table = metadata.tables[table]
    order = [of.c.started_at] if table == "extraction_jobs" else [*of.primary_key.columns]
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(select(of).order_by(*order))]


def failures(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """What Dagster shows of each failed step: our description, else the text of the exception."""
    found = {}
    for event in result.filter_events(lambda event: event.is_step_failure):
        data = event.step_failure_data
        told = data.user_failure_data.description if data.user_failure_data else None
        found[str(event.step_key)] = told or (data.error.message if data.error else "")
    return found


def metadata_of(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """The metadata of each materialisation, which must be of the day."""
    found: dict[str, dict[str, Any]] = {}
    for event in result.get_asset_materialization_events():
        materialization = event.step_materialization_data.materialization
        assert materialization.partition == DAY
        values = {name: value.value for name, value in materialization.metadata.items()}
        found[materialization.asset_key.to_user_string()] = values
    return found
