"""One whole day through the job: what Dagster shows of it, and what a second run does."""

from __future__ import annotations

from collections import Counter
from datetime import date
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dagster as dg
import pytest
from sqlalchemy import text

from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.runs import first_failure
from audio_extract_dagster.simulator import Simulator, World
from audio_extract_dagster_tests.defs.location import (
    ASSETS,
    CHECKS,
    DAY,
    CodeLocation,
    dagster_asks_old_pydantic,
    metadata_of,
    rows,
)
from audio_extract_dagster_tests.postgres import Database

pytestmark = dagster_asks_old_pydantic

_STORED = "STORED"


def test_a_day_is_extracted_checked_and_accounted_for(
    location: CodeLocation, database: Database, world: World, working_folder: Path
) -> None:
    result = location.run()

    assert result.success
    told = metadata_of(result)
    assert set(told) == ASSETS
    calls = [call for call in world.conversations(date(2026, 3, 10)) if call.story != "chat"]
    of_agents = [call for call in calls if call.has_agent]
    assert told["conversations"]["dagster/row_count"] == len(calls) == 40
    assert told["conversations"]["complete"] is True
    assert told["agent_calls"]["dagster/row_count"] == len(of_agents)
    assert told["audio_batches"]["batches_completed"] == 1
    assert told["audio_batches"]["calls_requested"] == len(of_agents)

    (report,) = rows(database.engine, "daily_report")
    assert (
        told["daily_report"].items()
        >= {
            **{k: value for k, value in report.items() if k not in ("call_date", "reasons")},
            "dagster/row_count": 1,
        }.items()
    )
    for asset in ("daily_report", "audio_records"):
        shown = [line.data for line in told[asset]["reasons"].records]
        assert {line["reason"]: line["count"] for line in shown} == report["reasons"]
        assert {line["status"] for line in shown} <= {"PENDING", "MISSING", "FAILED", "excluded"}
    assert report["conversations"] == report["agent_calls"] + report["excluded"]
    by_status = Counter(row["status"] for row in rows(database.engine, "audio_records"))
    assert {name: told["audio_records"][name] for name in ("stored", "pending", "missing")} == {
        "stored": by_status["STORED"],
        "pending": by_status["PENDING"],
        "missing": by_status["MISSING"],
    }

    checks = {each.check_name: each for each in result.get_asset_check_evaluations()}
    assert set(checks) >= CHECKS
    assert all(each.passed and each.partition == DAY for each in checks.values())

    (job,) = rows(database.engine, "extraction_jobs")
    assert (job["run_id"], str(job["call_date"])) == (result.run_id, DAY)
    assert (job["status"], job["stage"], job["error"]) == ("INCOMPLETE", "daily_report", None)
    assert job["requests"] == report["requests"] > 0

    for row in rows(database.engine, "audio_records"):
        if row["status"] == _STORED:
            file = Path(unquote(urlsplit(row["uri"]).path))
            assert file.is_relative_to(working_folder / "data" / "audio" / "2026" / "03" / "10")
            assert sha256(file.read_bytes()).hexdigest() == row["sha256"]


def test_a_second_run_does_only_what_is_not_done(
    location: CodeLocation, database: Database, simulator: Simulator
) -> None:
    location.run()
    before = {table: rows(database.engine, table) for table in ASSETS}
    downloads = simulator.counters["download"]
    asked = {conversation_id for conversation_id, _ in simulator.log[0].items}

    result = location.run()

    assert result.success
    assert simulator.counters["download"] == downloads
    pending = {
        row["conversation_id"] for row in before["audio_records"] if row["status"] == "PENDING"
    }
    assert {conversation_id for conversation_id, _ in simulator.log[1].items} == pending < asked
    for table in ("conversations", "agent_calls"):
        assert rows(database.engine, table) == before[table]
    stored = [row for row in before["audio_records"] if row["status"] == _STORED]
    assert [
        row for row in rows(database.engine, "audio_records") if row["status"] == _STORED
    ] == stored
    first, second = rows(database.engine, "extraction_jobs")
    assert second["run_id"] == result.run_id != first["run_id"]
    assert {name: first[name] for name in ("stored", "pending", "missing", "reasons")} == {
        name: second[name] for name in ("stored", "pending", "missing", "reasons")
    }
    assert len(rows(database.engine, "daily_report")) == 1


def test_audio_that_arrives_late_is_stored_by_the_next_run(
    location: CodeLocation, database: Database, simulator: Simulator
) -> None:
    location.run()
    simulator.finish_uploads()
    location.run()

    first, second = rows(database.engine, "extraction_jobs")
    assert first["reasons"].items() >= {"uploading": 1, "restoring": 1}.items()
    assert second["stored"] == first["stored"] + 2
    assert "uploading" not in second["reasons"]
    # The outcome changed, so both runs have a message.
    assert len(rows(database.engine, "notifications")) == 2


def test_one_asset_alone_can_be_made_and_the_job_tells_the_truth(
    location: CodeLocation, database: Database, simulator: Simulator
) -> None:
    result = location.run_only("conversations")

    assert result.success
    assert set(metadata_of(result)) == {"conversations"}
    assert simulator.log == []
    (job,) = rows(database.engine, "extraction_jobs")
    assert job["conversations"] == 40
    # Nothing has chosen the agent calls yet, so the day is not accounted for.
    assert job["status"] == "FAILED"
    assert "40 conversations are not 0 agent calls" in job["error"]


def test_the_report_alone_is_made_again_from_the_tables(
    location: CodeLocation, database: Database, simulator: Simulator
) -> None:
    location.run()
    (before,) = rows(database.engine, "daily_report")
    requests = dict(simulator.counters.operations)

    result = location.run_only("daily_report")

    assert result.success
    assert dict(simulator.counters.operations) == requests
    (after,) = rows(database.engine, "daily_report")
    assert after == before


def test_a_range_of_days_in_one_run_is_refused(
    location: CodeLocation, database: Database, instance: dg.DagsterInstance
) -> None:
    tags = {
        "dagster/asset_partition_range_start": "2026-03-09",
        "dagster/asset_partition_range_end": DAY,
    }
    result = (
        definitions()
        .resolve_job_def("extract_day")
        .execute_in_process(
            instance=instance, tags=tags, resources=location.resources(), raise_on_error=False
        )
    )
    assert not result.success
    told = first_failure(instance, result.run_id)
    assert "Materialise one partition per run: each day is a run of its own." in str(told)
    assert rows(database.engine, "extraction_jobs") == []


@pytest.mark.parametrize("day", ["2026-03-08", "2023-12-31", "2999-01-01"])
def test_a_day_that_is_no_partition_is_refused(location: CodeLocation, day: str) -> None:
    with pytest.raises(dg.DagsterUnknownPartitionError):
        location.run(day)


def test_a_newer_schema_does_not_keep_a_day_from_being_done(
    location: CodeLocation, database: Database
) -> None:
    """The version before goes on while the next one is rolled out: its steps only add."""
    with database.engine.begin() as connection:
        for table in ASSETS | {"extraction_jobs", "notifications"}:
            connection.execute(text(f"ALTER TABLE {table} ADD COLUMN added text DEFAULT 'x'"))
        connection.execute(text("CREATE TABLE added (id text)"))
        connection.execute(text("UPDATE audio_extract_version SET version_num = '9999'"))
    assert location.run().success
    assert location.run().success
