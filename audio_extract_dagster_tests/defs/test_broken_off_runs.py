"""Runs that end without a failed step, and runs of a part of a day: the job tells the truth."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import text

from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.jobs import JOB_NAME
from audio_extract_dagster.simulator import Simulator
from audio_extract_dagster_tests.defs.acting import acting
from audio_extract_dagster_tests.defs.location import (
    DAY,
    CodeLocation,
    dagster_asks_old_pydantic,
    failures,
    metadata_of,
    rows,
)
from audio_extract_dagster_tests.postgres import Database

pytestmark = dagster_asks_old_pydantic


class OnDisk:
    """Dagster's memory in files, so that it can be damaged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def lose_events(self) -> None:
        """From here on it keeps no event of the runs that are at work, and gives none."""
        for file in (self.folder / "history" / "runs").glob("*-*.db"):
            with sqlite3.connect(file) as connection:
                connection.execute("DROP TABLE event_logs")
            connection.close()


@pytest.fixture
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """Instead of the one in memory."""
    folder, quiet = tmp_path_factory.mktemp("dagster"), {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(folder), overrides=quiet) as local:
        yield local


@pytest.fixture
def on_disk(instance: dg.DagsterInstance) -> OnDisk:
    return OnDisk(Path(instance.root_directory))


def the_job() -> dg.JobDefinition:
    """As a process of its own would load it."""
    return definitions().resolve_job_def(JOB_NAME)


def test_a_run_whose_events_are_lost_has_failed_though_its_day_adds_up(
    location: CodeLocation, database: Database, simulator: Simulator, on_disk: OnDisk
) -> None:
    assert location.run().success

    with (
        acting(simulator, "details_query", on_disk.lose_events),
        pytest.raises(Exception, match="no such table: event_logs"),
    ):
        location.run()

    first, second = rows(database.engine, "extraction_jobs")
    assert (first["status"], second["status"]) == ("INCOMPLETE", "FAILED")
    assert second["error"].startswith("conversations: the run broke off before its end")
    told = {row["run_id"]: row["status"] for row in rows(database.engine, "notifications")}
    assert told[second["run_id"]] == "FAILED"


def test_a_part_of_a_day_that_is_done_again_is_judged_by_the_day(
    location: CodeLocation, database: Database
) -> None:
    location.run()
    # Nothing is left to ask for: the run would wait on the real clock.
    settled = "SET may_have_more = false, status = replace(status, 'PENDING', 'MISSING')"
    with database.engine.begin() as connection:
        connection.execute(text(f"UPDATE audio_records {settled}"))

    result = location.run_only("audio_batches", "audio_records")

    assert result.success
    assert set(metadata_of(result)) == {"audio_batches", "audio_records"}
    _, job = rows(database.engine, "extraction_jobs")
    assert (job["status"], job["error"]) == ("SUCCEEDED", None)


def test_what_is_left_of_a_failed_run_completes_its_day(
    location: CodeLocation, database: Database, simulator: Simulator
) -> None:
    never = text("ALTER TABLE daily_report ADD CONSTRAINT never CHECK (false)")
    with database.engine.begin() as connection:
        connection.execute(never)
    broken = location.run()
    assert set(failures(broken)) == {"daily_report"}
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE daily_report DROP CONSTRAINT never"))
    requests = dict(simulator.counters.operations)

    with dg.execute_job(
        dg.reconstructable(the_job),
        instance=location.instance,
        reexecution_options=dg.ReexecutionOptions.from_failure(broken.run_id, location.instance),
        tags={"dagster/partition": DAY},
    ) as rest:
        assert rest.success

    assert dict(simulator.counters.operations) == requests
    assert len(rows(database.engine, "daily_report")) == 1
    jobs = rows(database.engine, "extraction_jobs")
    assert [job["status"] for job in jobs] == ["FAILED", "INCOMPLETE"]
