"""Everything that Dagster loads, on one page.

Loads with an empty environment: what is missing is reported by the run that needs it.
"""

from pathlib import Path

import dagster as dg

from audio_extract_dagster.defs.assets.agent_calls import agent_calls_asset
from audio_extract_dagster.defs.assets.audio import audio_assets
from audio_extract_dagster.defs.assets.conversations import conversations_asset
from audio_extract_dagster.defs.assets.daily_report import daily_report_asset
from audio_extract_dagster.defs.checks import asset_checks
from audio_extract_dagster.defs.io_manager import PostgresIOManager
from audio_extract_dagster.defs.jobs import day_job
from audio_extract_dagster.defs.partitions import daily_partitions
from audio_extract_dagster.defs.resources import (
    AudioStorageResource,
    DayRunResource,
    GenesysResource,
)
from audio_extract_dagster.defs.schedules import daily_schedule
from audio_extract_dagster.defs.sensors import notification_sensors
from audio_extract_dagster.settings import environment_of, read_settings


@dg.definitions
def definitions() -> dg.Definitions:
    """The code location `audio_extract`."""
    settings = read_settings(environment_of(Path.cwd()))
    partitions = daily_partitions(settings.business_days)
    return dg.Definitions(
        assets=[
            conversations_asset(partitions),
            agent_calls_asset(partitions),
            audio_assets(partitions),
            daily_report_asset(partitions),
        ],
        asset_checks=asset_checks(partitions),
        jobs=[day_job()],
        schedules=[daily_schedule(settings.business_days, settings.schedule_cron)],
        sensors=notification_sensors(),
        resources={
            "genesys": GenesysResource(),
            "audio_storage": AudioStorageResource(),
            "day_run": DayRunResource(),
            "postgres_io_manager": PostgresIOManager(),
        },
        # One process per run: five times less work than one per step, and days run side by side
        # as runs of their own.
        executor=dg.in_process_executor,
    )
