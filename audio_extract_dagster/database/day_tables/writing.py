"""Writing a whole day: replaced in one transaction, and only where it differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    MetaData,
    Table,
    and_,
    delete,
    exc,
    exists,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from audio_extract_dagster.database.connection import sql_state, writing
from audio_extract_dagster.database.copy import copy_in, made_ahead
from audio_extract_dagster.database.copy_text import encode_frame, encode_rows
from audio_extract_dagster.database.day_tables.rows import (
    DayRows,
    DayWritten,
    WrongRows,
    columns_named,
)
from audio_extract_dagster.database.locks import advisory_key
from audio_extract_dagster.database.tables import audio_records, day_counts

if TYPE_CHECKING:
    # Costs a third of a second, and most who come here stream rows.
    import pandas as pd

_KEY_TAKEN = "23505"  # a key is given twice, or a row moves here from another day


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
    columns = columns_named(target, list(data.columns))
    needed = {"call_date", *target.primary_key.columns.keys()}
    if missing := needed - {column.name for column in columns}:
        raise WrongRows(f"{target.name}: the rows lack {', '.join(sorted(missing))}.")
    with writing(engine) as connection:
        # Two writers of one day would otherwise each keep what the other adds.
        schema = connection.scalar(text("SELECT current_schema()")) or ""
        key = advisory_key("replace_day", schema, target.name, day.isoformat())
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        if not isinstance(data, DayRows) and _copy_into_empty_day(
            connection, target, columns, day, data
        ):
            return DayWritten(len(data), 0, {})
        staged = _create_staged(connection, columns)
        if isinstance(data, DayRows):
            row_count = copy_in(connection, staged, columns, encode_rows(columns, data.rows))
            counts = dict(data.counts())
        else:
            row_count = _copy_frame(connection, staged, columns, data)
            counts = {}
        kept = 0
        if not _insert_into_empty_day(connection, target, staged, day, row_count):
            kept = _delete_others(connection, target, staged, day)
            _merge(connection, target, staged, day)
            _check(connection, target, staged, day, row_count + kept)
        if counts:
            _write_counts(connection, target, day, {**counts, "kept": kept})
    return DayWritten(row_count, kept, counts)


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


def _is_empty(connection: Connection, target: Table, day: date) -> bool:
    return not connection.scalar(select(exists().where(target.c.call_date == day)))


def _count(connection: Connection, target: Table, day: date) -> int:
    of_day = select(func.count()).select_from(target).where(target.c.call_date == day)
    return connection.scalar(of_day) or 0


def _copy_into_empty_day(
    connection: Connection,
    target: Table,
    columns: Sequence[Column[Any]],
    day: date,
    frame: pd.DataFrame,
) -> bool:
    """Copy a frame into a day that has no rows yet; whether that was possible.

    The server writes while the frame is encoded. A stream cannot be read again if this fails, so
    for a stream there is `_insert_into_empty_day`.
    """
    if not _is_empty(connection, target, day):
        return False
    try:
        with connection.begin_nested() as attempt:
            copied = _copy_frame(connection, target, columns, frame)
            possible = copied == _count(connection, target, day)
            if not possible:
                attempt.rollback()
            return possible
    except exc.IntegrityError as error:
        if sql_state(error) == _KEY_TAKEN:
            return False
        raise


def _copy_frame(
    connection: Connection, target: Table, columns: Sequence[Column[Any]], frame: pd.DataFrame
) -> int:
    with closing(made_ahead(encode_frame(columns, frame))) as chunks:
        return copy_in(connection, target, columns, chunks)


def _insert_into_empty_day(
    connection: Connection, target: Table, staged: Table, day: date, row_count: int
) -> bool:
    """Insert the staged rows into a day that has none yet; whether that was possible.

    A third of what merging costs, and a new day is what is mostly written.
    """
    if not _is_empty(connection, target, day):
        return False
    rows = select(staged).where(staged.c.call_date == day)
    try:
        with connection.begin_nested():
            inserted = connection.execute(insert(target).from_select(staged.columns.keys(), rows))
    except exc.IntegrityError as error:
        if sql_state(error) == _KEY_TAKEN:
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
    if _count(connection, target, day) != rows:
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
