"""Writing and reading the rows of whole days: what the IO manager stands on.

For the tables that are written a day at a time (`conversations`, `agent_calls`, `daily_report`).
The tables of the ledger change row by row and are not written here.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    cast,
    delete,
    exc,
    exists,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from audio_extract_dagster.database.connection import database_errors, sql_state
from audio_extract_dagster.database.copy_text import encode_frame, encode_rows
from audio_extract_dagster.database.locks import advisory_key
from audio_extract_dagster.database.tables import audio_records, day_counts
from audio_extract_dagster.errors import Never

if TYPE_CHECKING:
    # Costs a third of a second, and most who come here stream rows.
    import pandas as pd

_ROWS_PER_FETCH = 2000


class WrongRows(Never):
    """The rows given for a day cannot be its rows."""


@dataclass(frozen=True)
class DayRows:
    """A stream of a day's rows together with what it says of itself."""

    columns: Sequence[str]
    rows: Iterator[Sequence[object]]
    """Each in the order of `columns`; `copy_text.encode_rows` tells what a value may be."""
    counts: Callable[[], Mapping[str, object]] = dict
    """The stream's accounting, asked for once, after the last row. Empty: nothing is kept."""


@dataclass(frozen=True)
class DayWritten:
    """What `replace_day` did: the day now has `row_count + kept` rows."""

    row_count: int
    """Rows given."""
    kept: int
    """Rows that were not given and stay, because their call has audio records."""
    counts: Mapping[str, object]
    """The stream's accounting."""


def replace_day(
    engine: Engine, target: Table, day: date, data: DayRows | pd.DataFrame
) -> DayWritten:
    """Make `data` the rows of `day` in `target`, in one transaction of flat memory.

    Readers see the old day or the new one. Rows that do not differ are not touched. Rows that are
    not given are deleted, except those of calls that have audio records: a file must not lose its
    call. The accounting of a stream, with the number of rows kept, goes to `day_counts`.

    Raises what the stream raises, `CannotEncode`, and `WrongRows` (unknown columns, rows of another
    day, a key given twice). The old day then stands as it was.
    """
    columns = _columns(target, list(data.columns))
    needed = {"call_date", *target.primary_key.columns.keys()}
    if missing := needed - {column.name for column in columns}:
        raise WrongRows(f"{target.name}: the rows lack {', '.join(sorted(missing))}.")
    with database_errors(engine), engine.begin() as connection:
        # Two writers of one day would otherwise each keep what the other adds.
        key = advisory_key("replace_day", target.name, day.isoformat())
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        staged = _create_staged(connection, columns)
        if isinstance(data, DayRows):
            row_count = _copy(connection, staged, encode_rows(columns, data.rows))
            counts = dict(data.counts())
        else:
            row_count, counts = _copy(connection, staged, encode_frame(columns, data)), {}
        kept = 0
        if not _insert_first(connection, target, staged, day, row_count):
            kept = _delete_others(connection, target, staged, day)
            _merge(connection, target, staged, day)
            _check(connection, target, staged, day, row_count + kept)
        if counts:
            _write_counts(connection, target, day, {**counts, "kept": kept})
    return DayWritten(row_count, kept, counts)


def read_day(engine: Engine, table: Table, days: Iterable[date]) -> pd.DataFrame:
    """The rows of `days` in the order of the key, typed also when there are none.

    Text is `string`, integers `Int64`, floats `Float64`, booleans `boolean`, times
    `datetime64[us, UTC]`, all with their nulls; dates and lists are Python objects, JSON is its
    text: a day of payloads as Python objects would take five times the memory.
    """
    from audio_extract_dagster.database.copy_frame import FrameFile, readable  # noqa: PLC0415

    columns = list(table.columns)
    query = _of_days(readable(columns), table, days)
    file = FrameFile(columns)
    with database_errors(engine), engine.connect() as connection:
        # COPY takes no parameters.
        statement = query.compile(connection, compile_kwargs={"literal_binds": True})
        _run_copy(connection, f"COPY ({statement}) TO STDOUT", file)
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
        table.columns if columns is None else _columns(table, columns)
    )
    if json_as_text:
        chosen = [cast(c, Text) if isinstance(c.type, JSONB) else c for c in chosen]
    query = _of_days(select(*chosen), table, days)
    with database_errors(engine), engine.connect() as connection:
        # `yield_per` makes it a cursor in the server.
        rows = connection.execution_options(yield_per=_ROWS_PER_FETCH).execute(query)
        yield from map(tuple, rows)


def _of_days(query: Select[Any], table: Table, days: Iterable[date]) -> Select[Any]:
    return query.where(table.c.call_date.in_(list(days))).order_by(*table.primary_key)


def _columns(table: Table, names: Sequence[str]) -> list[Column[Any]]:
    unknown = [str(name) for name in names if name not in table.columns]
    if unknown:
        raise WrongRows(f"{table.name} has no column {', '.join(unknown)}.")
    return [table.columns[name] for name in names]


def _create_staged(connection: Connection, columns: Sequence[Column[Any]]) -> Table:
    """A temporary table for the rows as they come, gone with the transaction."""
    staged = Table(
        "staged",
        MetaData(),
        *(Column(column.name, column.type) for column in columns),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )
    staged.create(connection)
    return staged


def _copy(connection: Connection, staged: Table, chunks: Iterator[bytes]) -> int:
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(column.name) for column in staged.columns)
    file = _ChunkFile(chunks)
    row_count = _run_copy(connection, f"COPY staged ({names}) FROM STDIN", file)
    if file.failure is not None:
        raise file.failure
    return row_count


def _run_copy(connection: Connection, statement: str, file: object) -> int:
    """Run a COPY statement from or to `file`; returns the number of rows."""
    driver: Any = connection.connection.dbapi_connection
    base = connection.dialect.loaded_dbapi.Error
    with driver.cursor() as cursor:
        try:
            cursor.copy_expert(statement, file)
        except base as error:
            raise exc.DBAPIError.instance(
                statement, None, error, base, hide_parameters=True
            ) from None
        return int(cursor.rowcount)


class _ChunkFile:
    """Chunks as the file that the driver reads.

    It keeps the error of a failing stream and ends: the driver would turn it into one of its own
    and write its text to the server's log.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.failure: BaseException | None = None

    def read(self, _size: int) -> bytes:
        """The next chunk, whatever its size: the driver passes on what it gets."""
        try:
            return next(self._chunks, b"")
        except BaseException as error:
            self.failure = error
            return b""


def _insert_first(
    connection: Connection, target: Table, staged: Table, day: date, row_count: int
) -> bool:
    """Insert the staged rows into a day that has none yet; whether that was possible.

    A third of what merging costs, and a new day is what is mostly written.
    """
    if connection.scalar(select(exists().where(target.c.call_date == day))):
        return False
    rows = select(staged).where(staged.c.call_date == day)
    try:
        with connection.begin_nested():
            inserted = connection.execute(insert(target).from_select(staged.columns.keys(), rows))
    except exc.IntegrityError as error:
        if sql_state(error) == "23505":  # a key is given twice, or a row moves here from elsewhere
            return False
        raise
    return inserted.rowcount == row_count


def _delete_others(connection: Connection, target: Table, staged: Table, day: date) -> int:
    """Delete the day's rows that are not staged; how many of them stay."""
    others = and_(target.c.call_date == day, ~exists().where(_same_key(target, staged)))
    removable = others
    if target.primary_key.columns.keys() == ["conversation_id"]:
        has_audio = exists().where(audio_records.c.conversation_id == target.c.conversation_id)
        removable = and_(others, ~has_audio)
    connection.execute(delete(target).where(removable))
    return connection.scalar(select(func.count()).select_from(target).where(others)) or 0


def _merge(connection: Connection, target: Table, staged: Table, day: date) -> None:
    """Insert the staged rows, or update them where they differ.

    Rows that do not differ are left out before the insert: ON CONFLICT would lock, and so write,
    each of them. A row of another day's has moved to this day.
    """
    same = and_(
        target.c.call_date == day,
        _same_key(target, staged),
        *(target.c[column.name].is_not_distinct_from(column) for column in staged.columns),
    )
    statement = insert(target).from_select(
        staged.columns.keys(), select(staged).where(~exists().where(same))
    )
    statement = statement.on_conflict_do_update(
        index_elements=target.primary_key.columns.keys(),
        set_={column.name: statement.excluded[column.name] for column in staged.columns},
    )
    try:
        connection.execute(statement)
    except exc.ProgrammingError as error:
        if sql_state(error) == "21000":  # one statement may not update a row twice
            raise _repeated(target, day) from None
        raise


def _same_key(target: Table, staged: Table) -> ColumnElement[bool]:
    return and_(*(column == staged.c[column.name] for column in target.primary_key))


def _check(connection: Connection, target: Table, staged: Table, day: date, rows: int) -> None:
    foreign = select(func.count()).where(staged.c.call_date.is_distinct_from(day))
    if number := connection.scalar(foreign):
        raise WrongRows(f"{target.name}: {number} of the rows given for {day} are of another day.")
    there = connection.scalar(
        select(func.count()).select_from(target).where(target.c.call_date == day)
    )
    if there != rows:
        raise _repeated(target, day)


def _repeated(target: Table, day: date) -> WrongRows:
    keys = ", ".join(target.primary_key.columns.keys())
    return WrongRows(f"{target.name}: the rows given for {day} repeat a key ({keys}).")


def _write_counts(
    connection: Connection, target: Table, day: date, counts: Mapping[str, object]
) -> None:
    statement = insert(day_counts).values(asset=target.name, call_date=day, counts=counts)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=day_counts.primary_key.columns.keys(),
            set_={"counts": statement.excluded.counts},
        )
    )
