"""Everything that Dagster loads, on one page.

Loads with an empty environment: what is missing is reported by the run that needs it.
"""

import logging
from pathlib import Path

import dagster as dg

import audio_extract_dagster
from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.defs.assets.agent_calls import agent_calls_asset
from audio_extract_dagster.defs.assets.audio import audio_assets
from audio_extract_dagster.defs.assets.conversations import conversations_asset
from audio_extract_dagster.defs.assets.daily_report import daily_report_asset
from audio_extract_dagster.defs.checks import asset_checks
from audio_extract_dagster.defs.freshness import freshness
from audio_extract_dagster.defs.io_manager import PostgresIOManager
from audio_extract_dagster.defs.jobs import day_job
from audio_extract_dagster.defs.links import linked_to_code
from audio_extract_dagster.defs.partitions import daily_partitions
from audio_extract_dagster.defs.plan import plan_job
from audio_extract_dagster.defs.resources import (
    DayRunResource,
    DownloaderResource,
    GenesysResource,
)
from audio_extract_dagster.defs.retention import retention_job, retention_schedule
from audio_extract_dagster.defs.schedules import daily_schedule
from audio_extract_dagster.defs.sensors import all_sensors
from audio_extract_dagster.settings import environment_of, read_settings


@dg.definitions
def definitions() -> dg.Definitions:
    """The code location `audio_extract`."""
    settings = read_settings(environment_of(Path.cwd()))
    logger = logging.getLogger(audio_extract_dagster.__name__)
    if logger.level == logging.NOTSET:  # a command line has already chosen its own
        logger.setLevel(settings.log_level)
    days, cron = settings.business_days, settings.schedule_cron
    partitions = daily_partitions(days)
    # By themselves things happen in production; in development somebody turns them on.
    schedule_status = dg.DefaultScheduleStatus.RUNNING
    sensor_status = dg.DefaultSensorStatus.RUNNING
    if settings.dev_mode:
        schedule_status = dg.DefaultScheduleStatus.STOPPED
        sensor_status = dg.DefaultSensorStatus.STOPPED
    freshness_checks, freshness_sensor = freshness(days, cron, sensor_status)
    expiry, expiry_status = retention_job(), schedule_status
    if settings.retention_days is None:
        expiry_status = dg.DefaultScheduleStatus.STOPPED
    clock = SystemClock()
    return dg.Definitions(
        assets=[
            linked_to_code(assets, settings.source_code_url)
            for assets in (
                conversations_asset(partitions),
                agent_calls_asset(partitions),
                audio_assets(partitions, "file" if settings.storage_is_local else "gcs"),
                daily_report_asset(partitions),
            )
        ],
        asset_checks=[*asset_checks(partitions), *freshness_checks],
        jobs=[day_job(freshness_checks), plan_job(partitions), expiry],
        schedules=[
            daily_schedule(days, cron, schedule_status),
            retention_schedule(expiry, days, expiry_status),
        ],
        sensors=[*all_sensors(days, cron, sensor_status), freshness_sensor],
        resources={
            "genesys": GenesysResource(clock=clock),
            "downloader": DownloaderResource(clock=clock),
            "day_run": DayRunResource(clock=clock),
            "postgres_io_manager": PostgresIOManager(),
        },
        # One process per run: five times less work than one per step, and days run side by side
        # as runs of their own.
        executor=dg.in_process_executor,
    )
