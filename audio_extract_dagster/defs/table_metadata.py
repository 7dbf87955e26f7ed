"""Tables as Dagster metadata: the column schema, and a preview without personal data."""

from datetime import date

import dagster as dg
from sqlalchemy import Engine, Table, select
from sqlalchemy.dialects import postgresql

from audio_extract_dagster.database.connection import reading
from audio_extract_dagster.defs.lineage import column_lineage
from audio_extract_dagster.settings import Settings

# Numbers of people and whole payloads are not shown in the UI.
_PERSONAL = frozenset({"ani", "dnis", "payload"})
_ROWS = 5
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # it has no types of its own


def table_facts(
    table: Table, settings: Settings
) -> dict[str, str | dg.TableSchema | dg.TableColumnLineage]:
    """Where a table is, by its full name, what its columns mean and where they come from."""
    return {
        "dagster/table_name": f"{settings.pg_database}.{settings.pg_schema}.{table.name}",
        "dagster/column_schema": column_schema(table),
        "dagster/column_lineage": column_lineage(table.name),
    }


def preview(engine: Engine, table: Table, day: date) -> dg.MarkdownMetadataValue:
    """The first rows of the day as a small Markdown table."""
    shown = [column for column in table.columns if column.name not in _PERSONAL]
    query = (
        select(*shown)
        .where(table.c.call_date == day)
        .order_by(*table.primary_key.columns)
        .limit(_ROWS)
    )
    with reading(engine) as connection:
        rows = [[_cell(value) for value in row] for row in connection.execute(query)]
    header = [column.name for column in shown]
    lines = [header, ["---"] * len(header), *rows]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(line)} |" for line in lines))


def column_schema(table: Table) -> dg.TableSchema:
    """Names, types and meanings of the columns."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type.compile(dialect=_POSTGRESQL).lower(),
                description=column.comment,
                constraints=dg.TableColumnConstraints(nullable=bool(column.nullable)),
            )
            for column in table.columns
        ]
    )


def _cell(value: object) -> str:
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")
