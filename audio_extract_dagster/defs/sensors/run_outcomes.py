"""Tells people how a run ended: success, failure, cancellation; of retention, a failure."""

from typing import Any

import dagster as dg
from dagster import DagsterRunStatus
from sqlalchemy import Engine

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import engine_of, gateway_of, letterhead_of
from audio_extract_dagster.database.connection import writing
from audio_extract_dagster.defs.plan import PLAN_JOB_NAME
from audio_extract_dagster.defs.retention import RETENTION_JOB_NAME
from audio_extract_dagster.defs.runs import NoSingleDay, day_of_run, first_failure, only_checks
from audio_extract_dagster.defs.telling import (
    WITHOUT_DATABASE,
    is_of_backfill,
    tell_directly,
    tell_end_of_run,
)
from audio_extract_dagster.extraction.job_end import VANISHED
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.notify import outbox
from audio_extract_dagster.notify.message import compose_retention_failed
from audio_extract_dagster.settings import Settings
from audio_extract_dagster.startup import settings_with_services


def run_outcome_sensors(status: dg.DefaultSensorStatus) -> list[dg.SensorDefinition]:
    """One sensor for each way a run can end."""

    @dg.run_status_sensor(
        run_status=DagsterRunStatus.SUCCESS,
        name="notify_success",
        default_status=status,
        description="Mails how the day ended when a run succeeds.",
    )
    def notify_success(context: dg.RunStatusSensorContext) -> None:
        _tell(context, None)

    @dg.run_status_sensor(
        run_status=DagsterRunStatus.FAILURE,
        name="notify_failure",
        default_status=status,
        description="Mails that a run failed, and why.",
    )
    def notify_failure(context: dg.RunStatusSensorContext) -> None:
        cause = first_failure(context.instance, context.dagster_run.run_id)
        cause = cause or VANISHED
        if context.dagster_run.job_name == RETENTION_JOB_NAME:
            _tell_of_retention(context.dagster_run.run_id, cause)
        else:
            _tell(context, cause)

    @dg.run_status_sensor(
        run_status=DagsterRunStatus.CANCELED,
        name="notify_canceled",
        default_status=status,
        description="Mails that a run was canceled.",
    )
    def notify_canceled(context: dg.RunStatusSensorContext) -> None:
        _tell(context, "the run was canceled", JobStatus.CANCELED)

    return [notify_success, notify_failure, notify_canceled]


def _tell(
    context: dg.RunStatusSensorContext,
    failure: str | None,
    status: JobStatus = JobStatus.FAILED,
) -> None:
    """Put the message into the outbox, if the run itself has not, and deliver.

    Dagster calls this once for each run and never again if it raises, so nothing is sent from here
    that the outbox does not hold; only without a database the message goes out directly.
    """
    run: Any = context.dagster_run
    if run.tags.get("dagster/will_retry") == "true":
        return
    if run.job_name == PLAN_JOB_NAME or only_checks(run):
        return  # it changes nothing, so there is nothing to tell
    try:
        day = day_of_run(run)
    except NoSingleDay:
        context.log.info(f"Run {run.run_id} is about no single day: nothing to tell.")
        return
    # Whatever else is missing: a run that failed for it must still be told.
    settings = settings_with_services(require=())
    if tell_end_of_run(settings, run.run_id, day, failure, status=status, run_tags=run.tags):
        _deliver(settings, engine_of(settings))
    elif failure is not None and not is_of_backfill(run.tags):
        tell_directly(settings, run.run_id, day, failure, status=status)


def _tell_of_retention(run_id: str, cause: str) -> None:
    """Of retention only a failure is told: somebody may have promised that what is old is gone."""
    settings = settings_with_services(require=())
    message = compose_retention_failed(cause, run_id, letterhead_of(settings))
    try:
        engine = engine_of(settings)
        with writing(engine) as connection:
            outbox.enqueue(
                connection,
                outbox.Kind.RETENTION,
                message,
                about=run_id,
                outcome=JobStatus.FAILED.value,
                now=SystemClock().now(),
            )
    except WITHOUT_DATABASE:
        gateway_of(settings).send(message)
        return
    _deliver(settings, engine)


def _deliver(settings: Settings, engine: Engine) -> None:
    outbox.flush(engine, gateway_of(settings), SystemClock())
