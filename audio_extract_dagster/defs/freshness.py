"""Is the newest business day there in time? By partition: a backfill of old days does not count."""

import warnings

import dagster as dg

from audio_extract_dagster.business_days import BusinessDays

# So long after the schedule's hour a day of any usual size is done.
HOURS_OF_GRACE = 4


def freshness(
    days: BusinessDays, cron: str, status: dg.DefaultSensorStatus
) -> tuple[list[dg.AssetChecksDefinition], dg.SensorDefinition]:
    """The check of `daily_report`, and the sensor that evaluates it."""
    with warnings.catch_warnings():
        # The policy that supersedes it looks at the asset as a whole, and passes after a backfill.
        warnings.simplefilter("ignore", category=dg.SupersessionWarning)
        checks = dg.build_time_partition_freshness_checks(
            assets=[dg.AssetKey("daily_report")],
            deadline_cron=deadline(cron),
            timezone=days.timezone.key,
        )
        sensor = dg.build_sensor_for_freshness_checks(
            freshness_checks=checks, name="freshness", default_status=status
        )
    return list(checks), sensor


def deadline(cron: str) -> str:
    """When a day must be there: hours after the schedule's tick, at the latest before midnight."""
    minute, hour, *days = cron.split()
    latest = 23
    if not (minute.isdigit() and hour.isdigit()):
        return " ".join(["0", str(latest), *days])
    return " ".join([minute, str(min(int(hour) + HOURS_OF_GRACE, latest)), *days])
