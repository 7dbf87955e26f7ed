"""What happens by itself besides the schedule: one file for each thing that is watched."""

import dagster as dg

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.defs.sensors.backfill_digest import backfill_digest_sensor
from audio_extract_dagster.defs.sensors.late_audio import late_audio_sensor
from audio_extract_dagster.defs.sensors.missed_day import missed_day_sensor
from audio_extract_dagster.defs.sensors.outbox_delivery import outbox_delivery_sensor
from audio_extract_dagster.defs.sensors.run_outcomes import run_outcome_sensors
from audio_extract_dagster.defs.sensors.vanished_runs import vanished_runs_sensor


def all_sensors(
    days: BusinessDays, cron: str, status: dg.DefaultSensorStatus
) -> list[dg.SensorDefinition]:
    """Every sensor for the given calendar and schedule."""
    return [
        *run_outcome_sensors(status),
        outbox_delivery_sensor(status),
        backfill_digest_sensor(status),
        missed_day_sensor(days, cron, status),
        late_audio_sensor(days, status),
        vanished_runs_sensor(status),
    ]
