"""Runs that fail: the step says why in our words, the job keeps it, nothing secret is told."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import text

from audio_extract_dagster.database.locks import day_lock
from audio_extract_dagster.defs import failures as families
from audio_extract_dagster.defs.failures import dagster_failures
from audio_extract_dagster.defs.runs import first_failure
from audio_extract_dagster.errors import Never, NotYet, TryAgain
from audio_extract_dagster.simulator import Fault, Simulator
from audio_extract_dagster_tests.defs.acting import acting
from audio_extract_dagster_tests.defs.location import (
    DAY,
    CodeLocation,
    dagster_asks_old_pydantic,
    failures,
    rows,
)
from audio_extract_dagster_tests.defs.surroundings import genesys_variables
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.postgres import Database

pytestmark = dagster_asks_old_pydantic


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster itself waits between two tries of a step, by the clock on the wall."""
    monkeypatch.setattr(families, "PAUSE_SECONDS", 0)


def _retries(result: dg.ExecuteInProcessResult) -> int:
    return len(result.filter_events(lambda event: event.is_step_up_for_retry))


def test_a_passing_fault_asks_for_one_more_try_and_other_errors_fail_at_once() -> None:
    with pytest.raises(dg.RetryRequested) as again, dagster_failures():
        raise TryAgain("the line is dead")
    assert (again.value.max_retries, again.value.seconds_to_wait) == (1, 15)
    assert isinstance(again.value.__cause__, dg.Failure)
    assert again.value.__cause__.description == "the line is dead"

    for family in (Never, NotYet):
        with pytest.raises(dg.Failure) as failure, dagster_failures():
            raise family("ask somebody")
        assert (failure.value.description, failure.value.allow_retries) == ("ask somebody", False)

    with pytest.raises(ZeroDivisionError), dagster_failures():
        1 / 0  # noqa: B018 - a fault of the program


def test_an_incomplete_listing_fails_the_day(
    location: CodeLocation, database: Database, simulator: Simulator
) -> None:
    simulator.switches.total_hits_offset = 2

    result = location.run()

    assert not result.success
    checks = {each.check_name: each for each in result.get_asset_check_evaluations()}
    assert {name for name, each in checks.items() if not each.passed} == {
        "listing_is_complete",
        "day_is_accounted_for",
    }
    assert "calls may be missing" in str(checks["listing_is_complete"].description)
    (job,) = rows(database.engine, "extraction_jobs")
    assert job["status"] == "FAILED"
    assert "The day does not add up: after 3 passes" in job["error"]
    assert job["stored"] > 0  # what there is to have
    (message,) = rows(database.engine, "notifications")
    assert message["status"] == "FAILED"
    assert "calls may be missing" in message["html"]


def test_missing_settings_are_one_message_with_all_names(
    location: CodeLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = ("PG_PASSWORD", "GENESYS_CLOUD_CLIENT_SECRET", "GENESYS_QUEUE_ID")
    for name in missing:
        monkeypatch.delenv(name)

    result = location.run()

    (told,) = failures(result).values()
    assert [line for line in told.splitlines() if line.startswith("  - ")] == [
        f"  - {name} is required and not set" for name in missing
    ]
    assert first_failure(location.instance, result.run_id) == told
    assert _retries(result) == 0


def test_a_database_that_is_down_is_tried_twice(
    location: CodeLocation, monkeypatch: pytest.MonkeyPatch, no_pause: None
) -> None:
    monkeypatch.setenv("PG_PORT", "9")

    result = location.run()

    assert _retries(result) == 1
    (told,) = failures(result).values()
    assert told.startswith("PostgreSQL cannot be reached")
    assert "PG_HOST=127.0.0.1, PG_PORT=9" in told
    assert first_failure(location.instance, result.run_id) == told
    assert os.environ["PG_PASSWORD"] not in told


def test_a_database_that_comes_back_costs_no_call(
    location: CodeLocation, database: Database, simulator: Simulator, no_pause: None
) -> None:
    others = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    def restart() -> None:
        with database.engine.connect() as connection:
            connection.execute(others)

    with acting(simulator, "details_query", restart):
        result = location.run()

    assert result.success
    assert _retries(result) == 1
    (job,) = rows(database.engine, "extraction_jobs")
    assert (job["status"], job["conversations"], job["error"]) == ("INCOMPLETE", 40, None)


@pytest.mark.parametrize(
    ("operation", "stage"), [("details_query", "conversations"), ("batch_poll", "audio")]
)
def test_a_database_that_is_lost_for_good_is_told_in_our_words(
    location: CodeLocation,
    database: Database,
    simulator: Simulator,
    no_pause: None,
    operation: str,
    stage: str,
) -> None:
    def drop() -> None:
        with database.engine.connect() as connection:
            connection.execute(text("DROP SCHEMA audio_extract CASCADE"))
            connection.commit()

    with acting(simulator, operation, drop):
        result = location.run()

    assert not result.success
    assert set(failures(result)) == {stage}
    assert "audio-extract migrate" in failures(result)[stage]


def test_genesys_that_is_down_is_waited_for_and_then_told(
    location: CodeLocation,
    database: Database,
    simulator: Simulator,
    clock: FakeClock,
    no_pause: None,
) -> None:
    simulator.stop()

    result = location.run()

    assert sum(clock.sleeps) > 30  # the client's own patience
    assert _retries(result) == 1
    (told,) = failures(result).values()
    assert "no connection could be made" in told
    assert first_failure(location.instance, result.run_id) == told
    (job,) = rows(database.engine, "extraction_jobs")
    assert (job["status"], job["stage"]) == ("FAILED", "conversations")
    assert job["error"] == f"conversations: {told}"
    assert job["requests"] > 0


def test_a_wrong_secret_fails_at_once_and_is_not_shown(
    location: CodeLocation, database: Database, simulator: Simulator
) -> None:
    secret = genesys_variables(simulator.url)["GENESYS_CLOUD_CLIENT_SECRET"]
    refused = {"status": 400, "code": "invalid_client"}
    simulator.faults.add(Fault("token", "status", times=None, params=refused))

    result = location.run()

    assert _retries(result) == 0
    (told,) = failures(result).values()
    assert "GENESYS_CLOUD_CLIENT_SECRET" in told
    (job,) = rows(database.engine, "extraction_jobs")
    assert job["error"] == f"conversations: {told}"
    events = repr(location.instance.all_logs(result.run_id))
    assert secret not in events
    assert os.environ["PG_PASSWORD"] not in events


def test_a_quota_that_is_used_up_fails_with_the_time_when_it_is_over(
    location: CodeLocation, simulator: Simulator
) -> None:
    simulator.faults.add(
        Fault("batch_submit", "rate_limited", times=None, params={"retry_after": 7200})
    )

    result = location.run()

    assert _retries(result) == 0
    assert "not before 2026-03-11 13:00" in failures(result)["audio"]


def test_a_day_on_which_another_run_works_is_left_to_it(
    location: CodeLocation, database: Database, clock: FakeClock
) -> None:
    with day_lock(database.engine, "audio_extract", date.fromisoformat(DAY)):
        result = location.run()

    assert sum(clock.sleeps) >= 60
    (told,) = failures(result).values()
    assert told.startswith(f"Another run is working on {DAY}.")
    assert rows(database.engine, "extraction_jobs") == []


def test_a_storage_that_cannot_be_written_fails_the_audio_step(
    location: CodeLocation, database: Database, working_folder: Path
) -> None:
    (working_folder / "data").mkdir()
    (working_folder / "data" / "audio").write_text("a file where the folder should be")

    result = location.run()

    assert set(failures(result)) == {"audio"}
    assert "AUDIO_STORAGE_URI" in failures(result)["audio"]
    (job,) = rows(database.engine, "extraction_jobs")
    assert job["error"] == f"audio: {failures(result)['audio']}"
    # The lists are there, and nothing says that the audio is.
    assert (job["status"], job["conversations"], job["stored"]) == ("FAILED", 40, 0)
