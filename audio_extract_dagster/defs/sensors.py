"""Sensors: they tell people how runs ended, and deliver what the outbox still holds."""

from typing import Any

import dagster as dg
from dagster import DagsterRunStatus

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.database.connection import DatabaseUnavailable
from audio_extract_dagster.defs.day_of_run import NoSingleDay, day_of_run, first_failure
from audio_extract_dagster.defs.failures import dagster_failures
from audio_extract_dagster.defs.resources import announcer, postgres_engine
from audio_extract_dagster.embedded.environment import running_settings
from audio_extract_dagster.extraction.after_run import after_run
from audio_extract_dagster.model import Job
from audio_extract_dagster.notify import outbox
from audio_extract_dagster.notify.gateway import Gateway, open_gateway
from audio_extract_dagster.notify.message import compose
from audio_extract_dagster.settings import Settings


def notification_sensors() -> list[dg.SensorDefinition]:
    """One sensor each for success, failure and cancellation, and one that delivers."""

    @dg.run_status_sensor(
        run_status=DagsterRunStatus.SUCCESS,
        name="notify_success",
        description="Mails the outcome of a run that succeeded.",
    )
    def notify_success(context: dg.RunStatusSensorContext) -> None:
        _tell(context, None)

    @dg.run_status_sensor(
        run_status=DagsterRunStatus.FAILURE,
        name="notify_failure",
        description="Mails that a run failed, and why.",
    )
    def notify_failure(context: dg.RunStatusSensorContext) -> None:
        cause = first_failure(context.instance, context.dagster_run.run_id)
        _tell(context, cause or "the run vanished (killed, or its machine was lost)")

    @dg.run_status_sensor(
        run_status=DagsterRunStatus.CANCELED,
        name="notify_canceled",
        description="Mails that a run was canceled.",
    )
    def notify_canceled(context: dg.RunStatusSensorContext) -> None:
        _tell(context, "the run was canceled")

    @dg.sensor(
        name="outbox_delivery",
        minimum_interval_seconds=60,
        description="Sends the messages that the gateway has not taken yet.",
    )
    def outbox_delivery(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        with dagster_failures():
            settings = running_settings()
            result = outbox.flush(postgres_engine(), _gateway(settings), SystemClock())
        return dg.SkipReason(
            f"{result.sent} messages sent, {result.failed} not taken by the gateway, "
            f"{result.waiting} waiting."
        )

    return [notify_success, notify_failure, notify_canceled, outbox_delivery]


def _tell(context: dg.RunStatusSensorContext, failure: str | None) -> None:
    run: Any = context.dagster_run
    if run.tags.get("dagster/will_retry") == "true":
        return
    try:
        day = day_of_run(run)
    except NoSingleDay:
        context.log.info(f"Run {run.run_id} is about no single day: nothing to tell.")
        return
    settings, clock = running_settings(), SystemClock()
    gateway = _gateway(settings)
    try:
        after_run(
            postgres_engine(),
            settings.pg_schema,
            run.run_id,
            day,
            failure=failure,
            announce=announcer(settings),
            clock=clock,
        )
        outbox.flush(postgres_engine(), gateway, clock)
    except DatabaseUnavailable as error:
        # The outbox cannot keep the message, so it goes out at once: better twice than never.
        job = Job.of_failed_run(run.run_id, day, failure or str(error), clock.now())
        gateway.send(
            compose(
                job,
                opening=settings.email_message,
                run_url=settings.run_url(run.run_id),
                counts_known=False,
            )
        )


def _gateway(settings: Settings) -> Gateway:
    url = settings.notify_url.get_secret_value() if settings.notify_url else None
    return open_gateway(url, settings.emails)
