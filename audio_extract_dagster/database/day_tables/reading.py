"""Reading whole days: as a DataFrame, or as a stream in flat memory."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Engine, Select, Table, Text, cast, select
from sqlalchemy.dialects.postgresql import JSONB

from audio_extract_dagster.database.connection import reading
from audio_extract_dagster.database.copy import copy_out
from audio_extract_dagster.database.day_tables.rows import columns_named

if TYPE_CHECKING:
    # Costs a third of a second, and most who come here stream rows.
    import pandas as pd

_ROWS_PER_FETCH = 2000


def read_day(engine: Engine, table: Table, days: Iterable[date]) -> pd.DataFrame:
    """The rows of `days` in the order of the key, typed also when there are none.

    Text is `string`, integers `Int64`, floats `Float64`, booleans `boolean`, times
    `datetime64[us, UTC]`, all with their nulls; dates and lists are Python objects, JSON is its
    text: a day of payloads as Python objects would take five times the memory.
    """
    from audio_extract_dagster.database.copy_binary import FrameFile, readable  # noqa: PLC0415

    columns = list(table.columns)
    file = FrameFile(columns)
    with reading(engine) as connection:
        copy_out(connection, _of_days(readable(columns), table, days), file)
    return file.frame()


def stream_day(
    engine: Engine,
    table: Table,
    days: Iterable[date],
    columns: Sequence[str] | None = None,
    *,
    json_as_text: bool = False,
) -> Generator[tuple[Any, ...], None, None]:
    """The rows of `days` in the order of the key, all columns or the named ones, in flat memory.

    JSON comes as Python objects, or as its text for whoever reads it in a quicker way. Holds a
    connection until the last row, or until the iterator is closed.
    """
    chosen: list[ColumnElement[Any]] = list(
        table.columns if columns is None else columns_named(table, columns)
    )
    if json_as_text:
        chosen = [cast(c, Text) if isinstance(c.type, JSONB) else c for c in chosen]
    query = _of_days(select(*chosen), table, days)
    with reading(engine) as connection:
        # `yield_per` makes it a cursor in the server.
        rows = connection.execution_options(yield_per=_ROWS_PER_FETCH).execute(query)
        yield from map(tuple, rows)


def _of_days(query: Select[Any], table: Table, days: Iterable[date]) -> Select[Any]:
    return query.where(table.c.call_date.in_(list(days))).order_by(*table.primary_key)
