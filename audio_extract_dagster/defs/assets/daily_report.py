"""The asset `daily_report`: the closed counts of the day in one row, and a picture of it."""

import base64
from dataclasses import asdict

import dagster as dg

from audio_extract_dagster.database import tables
from audio_extract_dagster.database.connection import database_errors
from audio_extract_dagster.database.day_tables import DayRows
from audio_extract_dagster.database.ledger import accounts, jobs, shapes
from audio_extract_dagster.defs.assets import NOT_PERSONAL, kept_in
from audio_extract_dagster.defs.day_metadata import seconds_of_run, table_of_reasons
from audio_extract_dagster.defs.failures import dagster_failures
from audio_extract_dagster.defs.resources import (
    AudioStorageResource,
    DayRunResource,
    GenesysResource,
)
from audio_extract_dagster.model import DayShape
from audio_extract_dagster.reporting.picture import draw_day


def daily_report_asset(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset for the given calendar."""

    @dg.asset(
        partitions_def=partitions,
        deps=["conversations", "agent_calls", "audio_batches", "audio_records"],
        io_manager_key="postgres_io_manager",
        group_name="reporting",
        description=(
            "The day in one row: conversations = agent calls + excluded; recordings stored, "
            "pending, missing and failed; requests and waits of all runs of the day. The picture, "
            "the reasons and where the time of the run went are shown with each materialisation."
        ),
        **kept_in(tables.daily_report, NOT_PERSONAL),
    )
    def daily_report(
        context: dg.AssetExecutionContext,
        genesys: GenesysResource,
        audio_storage: AudioStorageResource,
        day_run: DayRunResource,
    ) -> dg.Output[DayRows]:
        with dagster_failures(), database_errors(day_run.engine()):
            run = day_run.begin(context)
            run.meter(genesys.usage)
            run.stage("daily_report")
            settings = day_run.settings()
            with day_run.engine().connect() as connection:
                counts = accounts.count_day(connection, run.call_date)
                usage = asdict(jobs.day_usage(connection, run.call_date))
                shape = shapes.day_shape(connection, run.call_date, settings.timezone)
        row = {"call_date": run.call_date, **asdict(counts), **usage}
        # The UI shows them in this order.
        shown: dict[str, dg.RawMetadataValue] = {
            **_picture(shape, f"Call recordings of {run.call_date}"),
            "run": dg.MetadataValue.url(settings.run_url(run.run_id)),
            **asdict(counts),
            "reasons": table_of_reasons(counts),
            **usage,
            **seconds_of_run(genesys, audio_storage, day_run),
        }
        return dg.Output(DayRows(list(row), iter([list(row.values())])), metadata=shown)

    return daily_report


def _picture(shape: DayShape, title: str) -> dict[str, dg.MarkdownMetadataValue]:
    """Nothing for a day without calls: there is nothing to see, and drawing takes a second."""
    if not any(shape.calls_by_hour):
        return {}
    png = base64.b64encode(draw_day(shape, title)).decode()
    return {"picture": dg.MetadataValue.md(f"![The day](data:image/png;base64,{png})")}
