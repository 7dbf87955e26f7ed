"""Delivers the messages that the gateway has not taken yet."""

import dagster as dg

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import engine_of, gateway_of
from audio_extract_dagster.notify import outbox
from audio_extract_dagster.startup import postgres_settings


def outbox_delivery_sensor(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """The sensor; it starts no runs."""

    @dg.sensor(
        name="outbox_delivery",
        minimum_interval_seconds=60,
        default_status=status,
        description="Sends again what the mail gateway did not take, until it does.",
    )
    def outbox_delivery(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        settings = postgres_settings()
        engine = engine_of(settings)
        result = outbox.flush(engine, gateway_of(settings), SystemClock())
        return dg.SkipReason(
            f"{result.sent} messages sent, {result.failed} not taken by the gateway, "
            f"{result.waiting} waiting."
        )

    return outbox_delivery
