"""The steps of one run of a day, as `defs/assets` takes them, without Dagster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database import tables
from audio_extract_dagster.database.day_tables import DayRows, replace_day, stream_day
from audio_extract_dagster.errors import TryAgain
from audio_extract_dagster.extraction.agent_calls import agent_call_rows
from audio_extract_dagster.extraction.collection import collect_audio
from audio_extract_dagster.extraction.day_run import DayRun
from audio_extract_dagster.extraction.listing import DayListing
from audio_extract_dagster.genesys import GenesysClient
from audio_extract_dagster.model import JobUsage

if TYPE_CHECKING:
    from audio_extract_dagster_tests.scenarios.day import Scene

# As `defs/failures.py` has them.
STEP_RETRIES = 1
STEP_PAUSE_SECONDS = 15


def extract_day(scene: Scene, day_run: DayRun, client: GenesysClient) -> None:
    """Conversations, agent calls, audio; each step has another chance where it asks for one."""

    def conversations() -> None:
        day_run.stage("conversations")
        listing = DayListing(client, scene.day, scene.window, ())
        rows = day_run.guarded(listing.as_day_rows())
        replace_day(scene.engine, tables.conversations, scene.day, rows)

    def agent_calls() -> None:
        day_run.stage("agent_calls")
        columns = [column.name for column in tables.conversations.columns]
        rows = stream_day(scene.engine, tables.conversations, [scene.day], json_as_text=True)
        calls = day_run.guarded(agent_call_rows(scene.day, DayRows(columns, rows)))
        replace_day(scene.engine, tables.agent_calls, scene.day, calls)

    def audio() -> None:
        day_run.stage("audio")
        collect_audio(
            day_run,
            client,
            scene.engine,
            scene.downloader,
            clock=scene.clock,
            limits=scene.limits,
            selection=scene.selection,
            report=scene.report,
        )

    day_run.meter(lambda: _usage(client))
    for step in (conversations, agent_calls, audio):
        _patiently(step, scene.clock)


def _patiently(step: Callable[[], None], clock: Clock) -> None:
    for _ in range(STEP_RETRIES):
        try:
            return step()
        except TryAgain:
            clock.sleep(STEP_PAUSE_SECONDS)
    return step()


def _usage(client: GenesysClient) -> JobUsage:
    spent = client.usage
    waited = spent.budget_wait + spent.rate_limit_wait + spent.retry_wait
    return JobUsage(spent.total, round(waited, 3))
