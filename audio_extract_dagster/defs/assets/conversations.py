"""The asset `conversations`: every voice conversation that started on the day."""

import dagster as dg

from audio_extract_dagster.database import tables
from audio_extract_dagster.database.day_tables import DayRows
from audio_extract_dagster.defs.assets import GENESYS_POOL, kept_in
from audio_extract_dagster.defs.failures import dagster_failures
from audio_extract_dagster.defs.resources import DayRunResource, GenesysResource
from audio_extract_dagster.extraction.listing import DayListing
from audio_extract_dagster.extraction.queues import require_queues


def conversations_asset(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset for the given calendar."""

    @dg.asset(
        partitions_def=partitions,
        io_manager_key="postgres_io_manager",
        group_name="genesys_cloud",
        pool=GENESYS_POOL,
        description=(
            "Every voice conversation of the queue that **started** on the day, in business time, "
            "as Genesys Cloud tells it. The listing counts only if it adds up: no conversation "
            "twice, and as many as Genesys reports in total."
        ),
        **kept_in(tables.conversations),
    )
    def conversations(
        context: dg.AssetExecutionContext, genesys: GenesysResource, day_run: DayRunResource
    ) -> DayRows:
        with dagster_failures():
            run = day_run.begin(context)
            genesys.meter(run)
            run.stage("conversations")
            settings = day_run.settings()
            window = settings.business_days.window(run.call_date)
            require_queues(genesys.client(), settings.queue_ids)
            listing = DayListing(genesys.client(), run.call_date, window, settings.queue_ids)
            return run.guarded(listing.as_day_rows())

    return conversations
