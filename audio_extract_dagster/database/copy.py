"""The COPY statement: rows from and to PostgreSQL in bulk, with the errors that SQLAlchemy raises.

What the rows look like on the way is in `copy_text.py` and `copy_binary.py`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from sqlalchemy import Column, Connection, Select, Table, exc


class RowsFile(Protocol):
    """What takes the rows of a COPY: one of them, or what comes before and after them, a call."""

    def write(self, data: bytes, /) -> object: ...


def copy_in(
    connection: Connection, target: Table, columns: Sequence[Column[Any]], chunks: Iterator[bytes]
) -> int:
    """Fill `columns` of `target` from COPY text; returns the number of rows.

    Raises what `chunks` raises.
    """
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(column.name) for column in columns)
    file = _ChunkFile(chunks)
    try:
        return _run(connection, f"COPY {quote(target.name)} ({names}) FROM STDIN", file)
    finally:
        # It is the cause, also where ending the COPY fails on top of it.
        if file.failure is not None:
            raise file.failure from None


def made_ahead(chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
    """The same chunks, each made by another thread while the one before it is being sent.

    For what is quick to make and long to send. Close it, and nothing is left running.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="chunks") as thread:
        following = thread.submit(next, chunks, b"")
        while chunk := following.result():
            following = thread.submit(next, chunks, b"")
            yield chunk


def copy_out(connection: Connection, query: Select[Any], file: RowsFile) -> int:
    """Write the rows of `query` to `file` in the binary format; returns their number."""
    # COPY takes no parameters.
    compiled = query.compile(connection, compile_kwargs={"literal_binds": True})
    return _run(connection, f"COPY ({compiled}) TO STDOUT (FORMAT binary)", file)


def _run(connection: Connection, statement: str, file: object) -> int:
    driver: Any = connection.connection.dbapi_connection
    base = connection.dialect.loaded_dbapi.Error
    with driver.cursor() as cursor:
        try:
            cursor.copy_expert(statement, file)
        except base as error:
            if driver.closed:
                # Otherwise the rollback fails in its turn and hides what happened.
                connection.invalidate()
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
