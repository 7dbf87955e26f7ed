"""What happens by itself: messages, late audio, days that did not run, runs that died."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from sqlalchemy import text, update

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.database.connection import DatabaseUnavailable
from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.database.locks import day_lock
from audio_extract_dagster.database.tables import extraction_jobs
from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.jobs import JOB_NAME
from audio_extract_dagster.defs.plan import PLAN_JOB_NAME
from audio_extract_dagster.defs.sensors.missed_day import last_tick
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.notify.gateway import GatewayRefused
from audio_extract_dagster.simulator import Simulator
from audio_extract_dagster_tests.defs.location import (
    DAY,
    CodeLocation,
    dagster_asks_old_pydantic,
    rows,
)
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer, http_gateway
from audio_extract_dagster_tests.postgres import Database

pytestmark = dagster_asks_old_pydantic

_DAY = date.fromisoformat(DAY)
RUN_ID = "3f0e7a52-6f0d-4f0c-9c52-0d6f3a1b7c11"


@pytest.fixture
def gateway(configured: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpGatewayServer]:
    """The contact centre's mail gateway."""
    with http_gateway() as running:
        monkeypatch.setenv("NOTIFY_URL", running.url)
        monkeypatch.setenv("EMAILS", "ana@example.com, luis@example.com")
        yield running


def _run(
    location: CodeLocation, tags: dict[str, str] | None = None, *, job_name: str = JOB_NAME
) -> dg.DagsterRun:
    """A run of the day that Dagster knows of and that has not ended."""
    return location.instance.create_run_for_job(
        definitions().resolve_job_def(job_name),
        run_id=RUN_ID,
        tags={"dagster/partition": DAY} if tags is None else tags,
        status=dg.DagsterRunStatus.STARTED,
    )


def _left_running(database: Database, day: date = _DAY) -> None:
    """Its job as a kill leaves it."""
    with database.engine.begin() as connection:
        jobs.open_job(connection, RUN_ID, day, datetime.now(timezone.utc))
        jobs.set_stage(connection, RUN_ID, "audio")


def _ended(location: CodeLocation, sensor: str, event: dg.DagsterEvent, run: dg.DagsterRun) -> None:
    """Have the daemon notice that a run has ended."""
    context = dg.build_run_status_sensor_context(sensor, event, location.instance, run)
    definitions().resolve_sensor_def(sensor)(context)


def _failed(location: CodeLocation, run: dg.DagsterRun) -> None:
    event = location.instance.report_run_failed(run)
    _ended(location, "notify_failure", event, run)


def _tick(location: CodeLocation, sensor: str, cursor: str | None = None) -> dg.SensorExecutionData:
    """One tick of a sensor that looks around by itself."""
    place = definitions()
    context = dg.build_sensor_context(
        location.instance, cursor=cursor, repository_def=place.get_repository_def()
    )
    return place.resolve_sensor_def(sensor).evaluate_tick(context)


def _subjects(gateway: HttpGatewayServer) -> list[str]:
    return [message["subject"] for message in gateway.received]


def test_a_success_is_mailed_once(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    result = location.run()
    event = result.get_run_success_event()

    _ended(location, "notify_success", event, result.dagster_run)
    _ended(location, "notify_success", event, result.dagster_run)

    (message,) = gateway.received
    assert set(message) == {"title", "subject", "priority", "htmlContent", "to"}
    assert message["priority"] == "sendinblue"
    assert message["to"] == [
        {"name": "", "email": "ana@example.com"},
        {"name": "", "email": "luis@example.com"},
    ]
    (job,) = rows(database.engine, "extraction_jobs")
    assert f"{job['stored']} stored" in message["subject"]
    assert f"/runs/{result.run_id}" in message["htmlContent"]


def test_a_repeat_that_changes_nothing_is_not_mailed(
    location: CodeLocation, gateway: HttpGatewayServer
) -> None:
    for _ in range(2):
        result = location.run()
        _ended(location, "notify_success", result.get_run_success_event(), result.dagster_run)

    assert len(gateway.received) == 1


def test_a_failure_is_mailed_with_its_cause(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    with day_lock(database.engine, "audio_extract", _DAY):
        result = location.run()

    _ended(location, "notify_failure", result.get_run_failure_event(), result.dagster_run)

    (message,) = gateway.received
    assert "FAILED" in message["subject"]
    assert f"Another run is working on {DAY}" in message["htmlContent"]


def test_a_run_that_was_killed_is_closed_and_mailed(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    run = _run(location)
    _left_running(database)

    _failed(location, run)

    (job,) = rows(database.engine, "extraction_jobs")
    assert job["status"] == "FAILED"
    assert job["error"].startswith("audio: the run vanished (killed")
    assert _subjects(gateway) == [f"Call recordings of {DAY}: FAILED, 0 stored, 0 open"]


def test_a_run_that_only_dagster_has_given_up_keeps_its_job(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    run = _run(location)
    _left_running(database)

    with day_lock(database.engine, "audio_extract", _DAY):
        _failed(location, run)

    assert [job["status"] for job in rows(database.engine, "extraction_jobs")] == ["RUNNING"]
    assert gateway.received == []


def test_a_run_that_was_canceled_by_force_is_closed_and_mailed(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    run = _run(location)
    _left_running(database)

    _ended(location, "notify_canceled", location.instance.report_run_canceled(run), run)

    (job,) = rows(database.engine, "extraction_jobs")
    assert job["status"] == "CANCELED"
    assert _subjects(gateway) == [f"Call recordings of {DAY}: CANCELED, 0 stored, 0 open"]


@pytest.mark.parametrize(
    "absent",
    [{"PG_PORT": "9"}, {"PG_PASSWORD": "wrong"}, {"PG_PASSWORD": "", "GENESYS_QUEUE_ID": ""}],
    ids=["down", "wrong password", "not configured"],
)
def test_without_a_database_a_failure_is_mailed_at_once(
    location: CodeLocation,
    gateway: HttpGatewayServer,
    monkeypatch: pytest.MonkeyPatch,
    absent: dict[str, str],
) -> None:
    for name, value in absent.items():
        monkeypatch.setenv(name, value)

    _failed(location, _run(location))

    assert _subjects(gateway) == [f"Call recordings of {DAY}: FAILED"]
    assert "the database could not be reached" in gateway.received[0]["htmlContent"]
    assert "the run vanished" in gateway.received[0]["htmlContent"]


def test_without_a_database_the_days_of_a_backfill_are_not_mailed_one_by_one(
    location: CodeLocation, gateway: HttpGatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_PORT", "9")
    _failed(location, _run(location, {"dagster/partition": DAY, "dagster/backfill": "b-1"}))
    assert gateway.received == []


def test_a_dry_run_that_fails_is_not_a_day_that_failed(
    location: CodeLocation, gateway: HttpGatewayServer
) -> None:
    _failed(location, _run(location, job_name=PLAN_JOB_NAME))
    assert gateway.received == []


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # a mail plugin
def test_a_gateway_that_cannot_be_used_does_not_lose_the_message(
    location: CodeLocation, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _run(location)
    _left_running(database)
    monkeypatch.setenv("NOTIFY_URL", "mailtos://")
    monkeypatch.setenv("EMAILS", "ana@example.com")
    with pytest.raises(GatewayRefused):
        _failed(location, run)
    assert len(rows(database.engine, "notifications")) == 1


def test_without_a_database_a_success_waits_in_the_outbox(
    location: CodeLocation,
    gateway: HttpGatewayServer,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = location.run()
    monkeypatch.setenv("PG_PORT", "9")

    with pytest.raises(DatabaseUnavailable):
        _ended(location, "notify_success", result.get_run_success_event(), result.dagster_run)

    assert gateway.received == []
    assert len(rows(database.engine, "notifications")) == 1


def test_a_failure_that_dagster_retries_is_not_mailed(
    location: CodeLocation, gateway: HttpGatewayServer
) -> None:
    tags = {"dagster/partition": DAY, "dagster/will_retry": "true"}
    _failed(location, _run(location, tags))

    assert gateway.received == []


def test_a_run_of_several_days_is_not_mailed(
    location: CodeLocation, gateway: HttpGatewayServer
) -> None:
    tags = {
        "dagster/asset_partition_range_start": "2026-03-09",
        "dagster/asset_partition_range_end": DAY,
    }
    _failed(location, _run(location, tags))

    assert gateway.received == []


def test_a_message_that_the_gateway_did_not_take_is_delivered_later(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    gateway.statuses = [503, 201]
    _failed(location, _run(location))
    assert [row["sent_at"] for row in rows(database.engine, "notifications")] == [None]

    early = _tick(location, "outbox_delivery")
    assert early.skip_message == ("0 messages sent, 0 not taken by the gateway, 1 waiting.")
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE notifications SET next_try_at = now()"))
    due = _tick(location, "outbox_delivery")

    assert due.skip_message == "1 messages sent, 0 not taken by the gateway, 0 waiting."
    assert len(gateway.received) == 2


def test_a_backfill_is_mailed_as_one_digest(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    result = location.run(tags={"dagster/backfill": "abc"})
    _ended(location, "notify_success", result.get_run_success_event(), result.dagster_run)
    tags = {"dagster/partition": "2026-03-09", "dagster/backfill": "abc"}
    _left_running(database, date(2026, 3, 9))
    _failed(location, _run(location, tags))
    assert rows(database.engine, "notifications") == []
    now = datetime.now(timezone.utc).timestamp()
    location.instance.add_backfill(
        PartitionBackfill(
            "abc",
            BulkActionStatus.COMPLETED_SUCCESS,
            from_failure=False,
            tags={},
            backfill_timestamp=now,
            backfill_end_timestamp=now,
        )
    )

    ticks = [_tick(location, "backfill_digest").skip_message for _ in range(2)]
    _tick(location, "outbox_delivery")

    assert ticks == ["Digests of 1 backfills: abc.", "Digests of 0 backfills: none."]
    (message,) = gateway.received
    assert "2026-03-09 to 2026-03-10: 2 days" in message["subject"]


def test_days_with_late_audio_are_asked_for_again(
    location: CodeLocation, database: Database, simulator: Simulator
) -> None:
    location.run()

    first = _tick(location, "late_audio").run_requests
    again = _tick(location, "late_audio").run_requests
    assert first is not None
    assert again is not None
    assert [request.partition_key for request in first] == [DAY]
    assert first[0].tags["audio_extract/why"].startswith("late audio: ")
    assert first[0].run_key == again[0].run_key

    simulator.finish_uploads()
    with database.engine.begin() as connection:
        connection.execute(text("DELETE FROM audio_records WHERE status = 'PENDING'"))
    assert _tick(location, "late_audio").run_requests == []


def test_a_due_day_that_did_not_run_is_mailed_once(
    location: CodeLocation, gateway: HttpGatewayServer, database: Database
) -> None:
    assert "has run" in str(_tick(location, "missed_day").skip_message)  # nothing ever ran
    with database.engine.begin() as connection:
        jobs.open_job(connection, "long-ago", _DAY, datetime(2026, 3, 11, tzinfo=timezone.utc))
        jobs.close_job(
            connection, "long-ago", JobStatus.SUCCEEDED, datetime(2026, 3, 11, tzinfo=timezone.utc)
        )

    told = [str(_tick(location, "missed_day").skip_message) for _ in range(2)]
    _tick(location, "outbox_delivery")

    due = told[0][:10]
    assert [message.removeprefix(due) for message in told] == [
        " was due and did not run; told.",
        " was due and did not run; was told.",
    ]
    (message,) = gateway.received
    assert due in message["subject"]


@pytest.mark.parametrize(
    ("moment", "tick"),
    [
        ("2026-03-11T11:00", "2026-03-11T11:00"),
        ("2026-03-11T10:59", "2026-03-10T11:00"),
        ("2026-03-08T12:00", "2026-03-07T11:00"),  # a Sunday
    ],
)
@pytest.mark.parametrize("cron", ["0 6 * * 1-6", "0 6 * * *"])
def test_the_last_tick_of_the_schedule(moment: str, tick: str, cron: str) -> None:
    """On a Sunday the schedule may tick, and asks for nothing."""
    days = BusinessDays(ZoneInfo("America/Lima"), first=date(2024, 1, 1))
    at = datetime.fromisoformat(moment).replace(tzinfo=timezone.utc)
    expected = datetime.fromisoformat(tick).replace(tzinfo=timezone.utc)
    assert last_tick(cron, days, at) == expected


def test_a_schedule_that_never_asks_has_no_last_tick() -> None:
    days = BusinessDays(ZoneInfo("America/Lima"), first=date(2024, 1, 1))
    assert last_tick("0 6 * * 0", days, datetime(2026, 3, 8, 12, tzinfo=timezone.utc)) is None


def test_a_run_that_vanished_is_closed_after_a_while(
    location: CodeLocation, database: Database
) -> None:
    _run(location)
    _left_running(database)

    first = _tick(location, "vanished_runs")
    assert "closed: none" in str(first.skip_message)
    since = json.loads(str(first.cursor))
    assert set(since) == {RUN_ID}
    soon = _tick(location, "vanished_runs", first.cursor)
    assert json.loads(str(soon.cursor)) == since
    earlier = {RUN_ID: since[RUN_ID] - timedelta(minutes=5).total_seconds()}
    last = _tick(location, "vanished_runs", json.dumps(earlier))

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
    run = _run(location)
    location.instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name), RUN_ID
    )
    _left_running(database)
    with database.engine.begin() as connection:
        jobs.close_job(connection, RUN_ID, JobStatus.FAILED, SystemClock().now())

    _tick(location, "vanished_runs")
    assert _status(location) is dg.DagsterRunStatus.STARTED  # it may be about to end
    long_ago = SystemClock().now() - timedelta(hours=1)
    with database.engine.begin() as connection:
        connection.execute(update(extraction_jobs).values(finished_at=long_ago))
    _tick(location, "vanished_runs")
    assert _status(location) is dg.DagsterRunStatus.FAILURE


def _status(location: CodeLocation) -> dg.DagsterRunStatus | None:
    run = location.instance.get_run_by_id(RUN_ID)
    return run.status if run else None


def test_a_run_at_work_is_no_suspect(location: CodeLocation, database: Database) -> None:
    _left_running(database)

    with day_lock(database.engine, "audio_extract", _DAY):
        tick = _tick(location, "vanished_runs")

    assert tick.skip_message == "1 runs at work; closed: none."
    assert json.loads(str(tick.cursor)) == {}
