"""One digest about a whole backfill, when all of its runs have ended."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from audio_extract_dagster_tests.defs.daemon import (
    left_running,
    run_ended,
    run_failed,
    started_run,
    tick,
)
from audio_extract_dagster_tests.defs.location import (
    DAY,
    CodeLocation,
    dagster_asks_old_pydantic,
    rows,
)
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer
from audio_extract_dagster_tests.postgres import Database

pytestmark = dagster_asks_old_pydantic


def backfill_ended(
    location: CodeLocation,
    status: BulkActionStatus = BulkActionStatus.COMPLETED_SUCCESS,
    *,
    ago: timedelta = timedelta(0),
) -> None:
    """A backfill that says of itself that it has ended."""
    now = (datetime.now(timezone.utc) - ago).timestamp()
    location.instance.add_backfill(
        PartitionBackfill(
            "abc",
            status,
            from_failure=False,
            tags={},
            backfill_timestamp=now,
            backfill_end_timestamp=now,
        )
    )


def test_a_backfill_is_mailed_as_one_digest(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    result = location.run(tags={"dagster/backfill": "abc"})
    run_ended(location, "notify_success", result.get_run_success_event(), result.dagster_run)
    tags = {"dagster/partition": "2026-03-09", "dagster/backfill": "abc"}
    left_running(database, date(2026, 3, 9))
    run_failed(location, started_run(location, tags))
    assert rows(database.engine, "notifications") == []
    backfill_ended(location)

    ticks = [tick(location, "backfill_digest").skip_message for _ in range(2)]
    tick(location, "outbox_delivery")

    assert ticks == ["Digests of 1 backfills: abc.", "Digests of 0 backfills: none."]
    (message,) = gateway.received
    assert "2026-03-09 to 2026-03-10: " in message["subject"]
    assert "/runs/b/abc" in message["htmlContent"]


def test_a_backfill_is_not_told_before_a_run_that_was_killed_is_closed(
    location: CodeLocation, database: Database
) -> None:
    left_running(database)
    started_run(location, {"dagster/partition": DAY, "dagster/backfill": "abc"})
    backfill_ended(location)
    assert tick(location, "backfill_digest").skip_message == "Digests of 0 backfills: none."
    assert rows(database.engine, "notifications") == []


def test_a_backfill_whose_runs_all_broke_before_they_had_a_job_is_mailed(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    tags = {"dagster/partition": DAY, "dagster/backfill": "abc"}
    run_failed(location, started_run(location, tags))
    backfill_ended(location)

    tick(location, "backfill_digest")
    tick(location, "outbox_delivery")

    assert rows(database.engine, "extraction_jobs") == []
    (message,) = gateway.received
    assert message["subject"] == f"Call recordings of {DAY}: FAILED"
    assert "FAILED" in message["htmlContent"]


@pytest.mark.parametrize("submitted", [timedelta(0), timedelta(days=3)])
def test_a_backfill_of_the_command_line_is_told_when_its_last_run_has_ended(
    location: CodeLocation, gateway: HttpGatewayServer, submitted: timedelta
) -> None:
    """`dagster job backfill` calls it completed as soon as the runs are queued."""
    assert location.run(tags={"dagster/backfill": "abc"}).success
    tags = {"dagster/partition": "2026-03-09", "dagster/backfill": "abc"}
    waiting = started_run(location, tags)
    backfill_ended(location, BulkActionStatus.COMPLETED, ago=submitted)
    assert tick(location, "backfill_digest").skip_message == "Digests of 0 backfills: none."

    run_failed(location, waiting)
    ticks = [tick(location, "backfill_digest").skip_message for _ in range(2)]
    tick(location, "outbox_delivery")

    assert ticks == ["Digests of 1 backfills: abc.", "Digests of 0 backfills: none."]
    (message,) = gateway.received
    assert "2026-03-09 to 2026-03-10: " in message["subject"]
