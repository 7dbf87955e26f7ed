"""The asset `daily_report`: the closed counts of the day in one row, and a picture of it."""

import base64
from collections.abc import Mapping
from typing import Any

import dagster as dg

from audio_extract_dagster.database import tables
from audio_extract_dagster.database.connection import reading
from audio_extract_dagster.database.day_tables import DayRows
from audio_extract_dagster.defs.assets import NOT_PERSONAL, kept_in
from audio_extract_dagster.defs.day_metadata import table_of_reasons
from audio_extract_dagster.defs.failures import dagster_failures
from audio_extract_dagster.defs.resources import DayRunResource
from audio_extract_dagster.extraction.report import DayReport, report_of
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
        context: dg.AssetExecutionContext, day_run: DayRunResource
    ) -> dg.Output[DayRows]:
        with dagster_failures():
            run, settings = day_run.begin(context), day_run.settings()
            run.stage("daily_report")
            with reading(day_run.engine()) as connection:
                report = report_of(connection, run.call_date, settings.timezone)
        shown = _shown(report, settings.run_url(run.run_id))
        return dg.Output(report.as_day_rows(), metadata={**shown, **run.seconds()})

    return daily_report


def _shown(report: DayReport, run_url: str) -> Mapping[str, Any]:
    """What the UI shows of it, in this order."""
    return {
        **_picture(report),
        "run": dg.MetadataValue.url(run_url),
        **report.figures(),
        "reasons": table_of_reasons(report.counts),
    }


def _picture(report: DayReport) -> Mapping[str, dg.MarkdownMetadataValue]:
    """Nothing for a day without calls: there is nothing to see, and drawing takes a second."""
    if not any(report.shape.calls_by_hour):
        return {}
    drawn = draw_day(report.shape, f"Call recordings of {report.call_date}")
    png = base64.b64encode(drawn).decode()
    return {"picture": dg.MetadataValue.md(f"![The day](data:image/png;base64,{png})")}
