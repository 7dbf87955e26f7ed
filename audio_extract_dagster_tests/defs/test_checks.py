"""The checks as Dagster shows them: warnings, errors, and the one that stops a run."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
from sqlalchemy import text

from audio_extract_dagster.checks import ALL_CHECKS
from audio_extract_dagster.database.locks import day_lock
from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.simulator import Fault, Simulator
from audio_extract_dagster_tests.defs.daemon import run_ended
from audio_extract_dagster_tests.defs.location import (
    DAY,
    CodeLocation,
    dagster_asks_old_pydantic,
    rows,
)
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer
from audio_extract_dagster_tests.postgres import Database

pytestmark = dagster_asks_old_pydantic

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


def failed(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckSeverity]:
    """The checks that did not pass, and how grave that is."""
    evaluations = result.get_asset_check_evaluations()
    assert all(each.partition == DAY for each in evaluations)
    return {each.check_name: each.severity for each in evaluations if not each.passed}


def test_every_check_of_a_day_is_in_dagster_with_its_description(working_folder: Path) -> None:
    graph = definitions().resolve_asset_graph()
    described = {
        (key.asset_key.to_user_string(), key.name): graph.get_check_spec(key).description
        for key in graph.asset_check_keys
    }
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    expected = {(check.asset, check.name): check.description for check in ALL_CHECKS}
    assert described.items() >= expected.items()
    assert blocking == {check.name for check in ALL_CHECKS if check.stops}


def test_a_warning_and_an_error_leave_the_run_a_success(
    location: CodeLocation, database: Database, working_folder: Path
) -> None:
    assert failed(location.run()) == {}
    next((working_folder / "data" / "audio").rglob("*.ogg")).unlink()
    with database.engine.begin() as connection:
        for weeks in (1, 2):
            earlier = date.fromisoformat(DAY) - timedelta(weeks=weeks)
            connection.execute(
                text(
                    "INSERT INTO daily_report SELECT :earlier, conversations, 1000, excluded,"
                    " stored, pending, missing, failed, ignored, bytes, audio_minutes, requests,"
                    " wait_seconds, reasons FROM daily_report WHERE call_date = :day"
                ),
                {"earlier": earlier, "day": DAY},
            )

    result = location.run()

    assert result.success
    assert failed(result) == {"volume_is_usual": WARN, "stored_files_exist": ERROR}


def test_the_verdict_stops_the_run_and_is_its_cause(
    location: CodeLocation, database: Database, simulator: Simulator
) -> None:
    simulator.faults.add(Fault("download", "html", times=None, params={"status": 200}))

    result = location.run()

    assert not result.success
    assert failed(result) == {"day_is_accounted_for": ERROR}
    (job,) = rows(database.engine, "extraction_jobs")
    assert job["status"] == "FAILED"
    assert "MAX_FAILED_PERCENT (5 %)" in job["error"]


def test_a_check_alone_reads_the_day_and_is_no_run_of_it(
    location: CodeLocation, database: Database, gateway: HttpGatewayServer
) -> None:
    with day_lock(database.engine, "audio_extract", date.fromisoformat(DAY)):
        passing = location.run_check("conversations", "each_conversation_once")
        failing = location.run_check("daily_report", "day_is_accounted_for")
    # As the UI makes it: with the name of the check, and no asset.
    key = dg.AssetCheckKey(dg.AssetKey("daily_report"), "day_is_accounted_for")
    run = failing.dagster_run._replace(asset_selection=None, asset_check_selection=frozenset({key}))
    run_ended(location, "notify_failure", failing.get_run_failure_event(), run)

    assert passing.success
    assert failed(failing) == {"day_is_accounted_for": ERROR}
    assert rows(database.engine, "extraction_jobs") == []
    assert gateway.received == []
