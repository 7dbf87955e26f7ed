"""The asset `agent_calls`: the conversations that an agent took part in."""

import dagster as dg

from audio_extract_dagster.database import tables
from audio_extract_dagster.database.day_tables import DayRows
from audio_extract_dagster.defs.assets import kept_in
from audio_extract_dagster.defs.failures import dagster_failures
from audio_extract_dagster.defs.resources import DayRunResource
from audio_extract_dagster.extraction.agent_calls import agent_call_rows


def agent_calls_asset(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset for the given calendar."""

    @dg.asset(
        partitions_def=partitions,
        io_manager_key="postgres_io_manager",
        group_name="genesys_cloud",
        description=(
            "The conversations in which a participant with purpose `agent` has a voice session, "
            "also one that only rang. Every other conversation has an `excluded_reason`."
        ),
        **kept_in(tables.agent_calls),
    )
    def agent_calls(
        context: dg.AssetExecutionContext, day_run: DayRunResource, conversations: DayRows
    ) -> DayRows:
        with dagster_failures():
            run = day_run.begin(context)
            run.stage("agent_calls")
            return run.guarded(agent_call_rows(run.call_date, conversations))

    return agent_calls
