"""What the daemon does, done by hand: runs end, sensors tick."""

from __future__ import annotations

from datetime import date, datetime, timezone

import dagster as dg
from dagster._core.events import JobFailureData

from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.jobs import JOB_NAME
from audio_extract_dagster_tests.defs.location import (
    DAY,
    CodeLocation,
)
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer
from audio_extract_dagster_tests.postgres import Database

THE_DAY = date.fromisoformat(DAY)
RUN_ID = "3f0e7a52-6f0d-4f0c-9c52-0d6f3a1b7c11"


def started_run(
    location: CodeLocation, tags: dict[str, str] | None = None, *, job_name: str = JOB_NAME
) -> dg.DagsterRun:
    """A run of the day that Dagster knows of and that has not ended."""
    return location.instance.create_run_for_job(
        definitions().resolve_job_def(job_name),
        run_id=RUN_ID,
        tags={"dagster/partition": DAY} if tags is None else tags,
        status=dg.DagsterRunStatus.STARTED,
    )


def left_running(database: Database, day: date = THE_DAY) -> None:
    """Its job as a kill leaves it."""
    with database.engine.begin() as connection:
        jobs.open_job(connection, RUN_ID, day, datetime.now(timezone.utc))
        jobs.set_stage(connection, RUN_ID, "audio")


def run_ended(
    location: CodeLocation, sensor: str, event: dg.DagsterEvent, run: dg.DagsterRun
) -> None:
    """Have the daemon notice that a run has ended."""
    context = dg.build_run_status_sensor_context(sensor, event, location.instance, run)
    definitions().resolve_sensor_def(sensor)(context)


def run_failed(
    location: CodeLocation,
    run: dg.DagsterRun,
    message: str | None = None,
    data: JobFailureData | None = None,
) -> None:
    """Have Dagster find that it failed, and the daemon notice."""
    event = location.instance.report_run_failed(run, message, data)
    run_ended(location, "notify_failure", event, run)


def tick(location: CodeLocation, sensor: str, cursor: str | None = None) -> dg.SensorExecutionData:
    """One tick of a sensor that looks around by itself."""
    place = definitions()
    context = dg.build_sensor_context(
        location.instance, cursor=cursor, repository_def=place.get_repository_def()
    )
    return place.resolve_sensor_def(sensor).evaluate_tick(context)


def subjects(gateway: HttpGatewayServer) -> list[str]:
    return [message["subject"] for message in gateway.received]
