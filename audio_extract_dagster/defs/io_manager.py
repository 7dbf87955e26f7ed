"""The IO manager between assets and the PostgreSQL tables of the same name."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, cast

import dagster as dg

from audio_extract_dagster.composition import engine_of
from audio_extract_dagster.database.connection import database_errors
from audio_extract_dagster.database.day_tables import DayRows, read_day, replace_day, stream_day
from audio_extract_dagster.database.tables import metadata
from audio_extract_dagster.defs.failures import dagster_failures
from audio_extract_dagster.defs.table_metadata import preview, table_facts
from audio_extract_dagster.startup import postgres_settings

if TYPE_CHECKING:
    # Costs half a second, and the project's own assets are streams.
    import pandas as pd


class PostgresIOManager(dg.ConfigurableIOManager):
    """One table per asset, one day per partition.

    Takes a DataFrame or a stream (`DayRows`) and replaces the rows of the partition in one
    transaction, by COPY: readers see the old day or the new one. Gives a DataFrame, or a stream to
    an input annotated with `DayRows`.
    """

    def handle_output(self, context: dg.OutputContext, obj: "DayRows | pd.DataFrame") -> None:
        table = metadata.tables[context.asset_key.path[-1]]
        (day,) = _days(context.asset_partition_keys)
        with dagster_failures():
            settings = postgres_settings()
            engine = engine_of(settings)
            written = replace_day(engine, table, day, obj)
            with database_errors(engine):
                rows = preview(engine, table, day)
        context.add_output_metadata(
            {
                "dagster/row_count": written.row_count + written.kept,
                **table_facts(table, settings),
                "preview": rows,
                **cast(Mapping[str, int], written.counts),
                "no_longer_listed": written.kept,
            }
        )

    def load_input(self, context: dg.InputContext) -> Any:
        table = metadata.tables[context.asset_key.path[-1]]
        days = _days(context.asset_partition_keys)
        with dagster_failures():
            engine = engine_of(postgres_settings())
            if context.dagster_type.typing_type is DayRows:
                (day,) = days
                columns = [column.name for column in table.columns]
                return DayRows(columns, stream_day(engine, table, [day], json_as_text=True))
            return read_day(engine, table, days)


def _days(partition_keys: Any) -> list[date]:
    return [date.fromisoformat(key) for key in partition_keys]
