"""What happens by itself: messages later, late audio, days that did not run, runs that died."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import dagster as dg
from sqlalchemy import text, update

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.database.locks import day_lock
from audio_extract_dagster.database.tables import extraction_jobs
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import Simulator
from audio_extract_dagster_tests.defs.daemon import (
    RUN_ID,
    THE_DAY,
    left_running,
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


def test_a_message_that_the_gateway_did_not_take_is_delivered_later(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    gateway.statuses = [503, 201]
    run_failed(location, started_run(location))
    assert [row["sent_at"] for row in rows(database.engine, "notifications")] == [None]

    early = tick(location, "outbox_delivery")
    assert early.skip_message == ("0 messages sent, 0 not taken by the gateway, 1 waiting.")
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE notifications SET next_try_at = now()"))
    due = tick(location, "outbox_delivery")

    assert due.skip_message == "1 messages sent, 0 not taken by the gateway, 0 waiting."
    assert len(gateway.received) == 2


def test_days_with_late_audio_are_asked_for_again(
    location: CodeLocation, database: Database, simulator: Simulator
) -> None:
    location.run()
    with database.engine.begin() as connection:
        # The sensor lives by the clock of the machine.
        asked = (
            "first_requested_at = now() - interval '1 day', updated_at = now() - interval '1 day'"
        )
        connection.execute(text(f"UPDATE audio_records SET {asked}"))

    first = tick(location, "late_audio").run_requests
    again = tick(location, "late_audio").run_requests
    assert first is not None
    assert again is not None
    assert [request.partition_key for request in first] == [DAY]
    assert first[0].tags["audio_extract/why"].startswith("late audio: ")
    assert first[0].run_key == again[0].run_key

    simulator.finish_uploads()
    with database.engine.begin() as connection:
        connection.execute(text("DELETE FROM audio_records WHERE status = 'PENDING'"))
    assert tick(location, "late_audio").run_requests == []


def test_a_due_day_that_did_not_run_is_mailed_once(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    assert "nothing was ever run" in str(tick(location, "missed_day").skip_message)
    with database.engine.begin() as connection:
        jobs.open_job(connection, "long-ago", THE_DAY, datetime(2026, 3, 11, tzinfo=timezone.utc))
        jobs.close_job(
            connection, "long-ago", JobStatus.SUCCEEDED, datetime(2026, 3, 11, tzinfo=timezone.utc)
        )

    told = [str(tick(location, "missed_day").skip_message) for _ in range(2)]
    tick(location, "outbox_delivery")

    due = told[0][:10]
    assert [message.removeprefix(due) for message in told] == [
        " was due and did not run; told.",
        " was due and did not run; was told.",
    ]
    (message,) = gateway.received
    assert due in message["subject"]


def test_a_run_that_vanished_is_closed_after_a_while(
    location: CodeLocation, database: Database
) -> None:
    started_run(location)
    left_running(database)

    first = tick(location, "vanished_runs")
    assert "closed: none" in str(first.skip_message)
    since = json.loads(str(first.cursor))
    assert set(since) == {RUN_ID}
    soon = tick(location, "vanished_runs", first.cursor)
    assert json.loads(str(soon.cursor)) == since
    earlier = {RUN_ID: since[RUN_ID] - timedelta(minutes=5).total_seconds()}
    last = tick(location, "vanished_runs", json.dumps(earlier))

    assert f"closed: {RUN_ID} of {DAY}" in str(last.skip_message)
    assert json.loads(str(last.cursor)) == {}
    (job,) = rows(database.engine, "extraction_jobs")
    assert job["status"] == "FAILED"
    run = location.instance.get_run_by_id(RUN_ID)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.FAILURE


def test_a_run_whose_job_another_run_closed_is_no_longer_shown_as_started(
    location: CodeLocation, database: Database
) -> None:
    run = started_run(location)
    location.instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name), RUN_ID
    )
    left_running(database)
    with database.engine.begin() as connection:
        jobs.close_job(connection, RUN_ID, JobStatus.FAILED, SystemClock().now())

    tick(location, "vanished_runs")
    assert _status(location) is dg.DagsterRunStatus.STARTED  # it may be about to end
    long_ago = SystemClock().now() - timedelta(hours=1)
    with database.engine.begin() as connection:
        connection.execute(update(extraction_jobs).values(finished_at=long_ago))
    tick(location, "vanished_runs")
    assert _status(location) is dg.DagsterRunStatus.FAILURE


def _status(location: CodeLocation) -> dg.DagsterRunStatus | None:
    run = location.instance.get_run_by_id(RUN_ID)
    return run.status if run else None


def test_a_run_at_work_is_no_suspect(location: CodeLocation, database: Database) -> None:
    left_running(database)

    with day_lock(database.engine, "audio_extract", THE_DAY):
        ticked = tick(location, "vanished_runs")

    assert ticked.skip_message == "1 runs at work; closed: none."
    assert json.loads(str(ticked.cursor)) == {}
