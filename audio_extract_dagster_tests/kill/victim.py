"""The run that is killed: one day extracted as `defs/` does it, without Dagster, in a process.

Imported by the fork server, so that a process of it starts at once. Nothing here knows that it will
be killed.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from datetime import date

from sqlalchemy import Engine

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import (
    engine_of,
    genesys_client_of,
    letterhead_of,
    limits_of,
    storage_of,
)
from audio_extract_dagster.database import tables
from audio_extract_dagster.database.day_tables import DayRows, replace_day, stream_day
from audio_extract_dagster.download.downloader import Downloader
from audio_extract_dagster.extraction.agent_calls import agent_call_rows
from audio_extract_dagster.extraction.collection import collect_audio
from audio_extract_dagster.extraction.day_run import DayRun
from audio_extract_dagster.extraction.listing import DayListing
from audio_extract_dagster.genesys import GenesysClient
from audio_extract_dagster.model import JobUsage
from audio_extract_dagster.notify.announce import Announcer
from audio_extract_dagster.settings import Settings, read_settings

# As `defs/resources.py` has it.
WAIT_FOR_DAY_SECONDS = 60.0


def extract(environment: Mapping[str, str], day: date) -> None:
    """One run of the day from the lock to the verdict, in a process that has this environment."""
    os.environ.clear()
    os.environ.update(environment)
    settings = read_settings(environment)
    clock = SystemClock()
    engine = engine_of(settings)
    run = DayRun(
        engine,
        settings.pg_schema,
        day,
        str(uuid.uuid4()),
        clock=clock,
        max_failed_percent=settings.max_failed_percent,
        announce=Announcer(clock, letterhead_of(settings)),
        wait_seconds=WAIT_FOR_DAY_SECONDS,
    )
    with (
        genesys_client_of(settings, clock) as client,
        Downloader(storage_of(settings), clock=clock) as downloader,
        run as day_run,
    ):
        day_run.meter(lambda: JobUsage(client.usage.total))
        day_run.stage("conversations")
        _list(client, engine, settings, day)
        day_run.stage("agent_calls")
        _choose(engine, day)
        day_run.stage("audio")
        limits = limits_of(settings)
        collect_audio(day_run, client, engine, downloader, clock=clock, limits=limits)


def _list(client: GenesysClient, engine: Engine, settings: Settings, day: date) -> None:
    window = settings.business_days.window(day)
    listing = DayListing(client, day, window, settings.queue_ids)
    replace_day(engine, tables.conversations, day, listing.as_day_rows())


def _choose(engine: Engine, day: date) -> None:
    columns = [column.name for column in tables.conversations.columns]
    rows = stream_day(engine, tables.conversations, [day], json_as_text=True)
    calls = agent_call_rows(day, DayRows(columns, rows))
    replace_day(engine, tables.agent_calls, day, calls)
