"""The assets `audio_batches` and `audio_records`: two tables filled by one streaming step."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
from pydantic import Field
from sqlalchemy import Engine

from audio_extract_dagster.composition import limits_of, storage_of
from audio_extract_dagster.database.connection import reading
from audio_extract_dagster.database.ledger import accounts
from audio_extract_dagster.database.tables import audio_batches, audio_records
from audio_extract_dagster.defs.assets import GENESYS_POOL, PERSONAL, kept_in
from audio_extract_dagster.defs.day_metadata import table_of_reasons
from audio_extract_dagster.defs.failures import dagster_failures
from audio_extract_dagster.defs.links import files_of_day
from audio_extract_dagster.defs.progress import LoggedProgress
from audio_extract_dagster.defs.resources import (
    DayRunResource,
    DownloaderResource,
    GenesysResource,
)
from audio_extract_dagster.defs.table_metadata import preview, table_facts
from audio_extract_dagster.extraction.collection import collect_audio
from audio_extract_dagster.model import Ask, Selection
from audio_extract_dagster.settings import Settings


class AudioConfig(dg.Config):
    """What a run may be told about the audio step."""

    ask: Ask = Field(
        default=Ask.OPEN_CALLS,
        description=(
            "OPEN_CALLS: what is not there yet and not given up. NEW_CALLS: only calls that were "
            "never asked for, the second look at a day. ALL_CALLS: fetch everything again; what "
            "cannot be had again stays as it is. What a day would cost, without doing it: the job "
            "plan_day."
        ),
    )
    conversation_ids: list[str] = Field(
        default=[],
        description="Ask for these conversations only; empty for all of the day.",
    )


def audio_config(ask: Ask) -> dict[str, Any]:
    """The run configuration of a job that asks for these calls."""
    return {"ops": {"audio": {"config": {"ask": ask.name}}}}


def audio_assets(partitions: dg.PartitionsDefinition[str], files: str) -> dg.AssetsDefinition:
    """The two assets for the given calendar; `files` is Dagster's kind for where audio is kept."""

    @dg.multi_asset(
        name="audio",
        pool=GENESYS_POOL,
        partitions_def=partitions,
        group_name="audio",
        description=(
            "Asks Genesys Cloud for the recordings of the agent calls, in batches, fetches each as "
            "its link appears, and settles why any is not there. Its progress is in the log: "
            "filter it by `answer`."
        ),
        specs=_specs(files),
    )
    def audio(
        context: dg.AssetExecutionContext,
        config: AudioConfig,
        genesys: GenesysResource,
        downloader: DownloaderResource,
        day_run: DayRunResource,
    ) -> Iterator[dg.MaterializeResult[None]]:
        with dagster_failures():
            run, engine, settings = day_run.begin(context), day_run.engine(), day_run.settings()
            genesys.meter(run)
            downloader.meter(run)
            run.stage("audio")
            with LoggedProgress(context.log, engine, run.call_date, day_run.clock) as progress:
                collect_audio(
                    run,
                    genesys.client(),
                    engine,
                    downloader.downloader(),
                    clock=genesys.pauses(),
                    limits=limits_of(settings),
                    selection=Selection(config.ask, tuple(config.conversation_ids)),
                    report=progress,
                )
            yield from _results(engine, settings, run.call_date)

    return audio


def _results(engine: Engine, settings: Settings, day: date) -> Iterator[dg.MaterializeResult[None]]:
    """The two tables as the UI shows them."""
    with reading(engine) as connection:
        counts = accounts.count_day(connection, day)
        by_state = accounts.batch_counts(connection, day)
        rows = preview(engine, audio_records, day)
    yield dg.MaterializeResult(
        asset_key="audio_batches", metadata={**table_facts(audio_batches, settings), **by_state}
    )
    yield dg.MaterializeResult(
        asset_key="audio_records",
        metadata={
            **table_facts(audio_records, settings),
            "stored": counts.stored,
            "pending": counts.pending,
            "missing": counts.missing,
            "failed": counts.failed,
            "bytes": counts.bytes,
            "audio_minutes": counts.audio_minutes,
            "reasons": table_of_reasons(counts),
            "files": files_of_day(storage_of(settings), day),
            "preview": rows,
        },
    )


def _specs(files: str) -> list[dg.AssetSpec]:
    return [
        dg.AssetSpec(
            "audio_batches",
            deps=["agent_calls"],
            description=(
                "The requests for recordings, at most 100 calls each: the intent, written "
                "before it is sent, what Genesys made of it, and how it ended."
            ),
            **kept_in(audio_batches),
        ),
        dg.AssetSpec(
            "audio_records",
            deps=["agent_calls"],
            description=(
                "One row for each recording of each agent call: `STORED` with its file and "
                "checksum, or `PENDING`, `MISSING`, `FAILED` with the reason."
            ),
            **kept_in(audio_records, PERSONAL, files),
        ),
    ]
