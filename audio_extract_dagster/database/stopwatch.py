"""How long a process waits for PostgreSQL: statements, fetches, COPY, commits and connecting.

Measured under SQLAlchemy, at the driver, because a commit and a COPY pass by its events. What a
COPY is fed with is somebody else's time and is taken off.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


class Stopwatch:
    """Adds up seconds; safe for threads, whose times are added."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._seconds = 0.0

    @property
    def seconds(self) -> float:
        """So far."""
        return self._seconds

    @contextmanager
    def running(self) -> Iterator[None]:
        """The time of the block counts."""
        started = self._now()
        try:
            yield
        finally:
            self._add(self._now() - started)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Within a block whose time counts, the time of this one does not."""
        started = self._now()
        try:
            yield
        finally:
            self._add(started - self._now())

    def _add(self, seconds: float) -> None:
        with self._lock:
            self._seconds += seconds


def time_database(engine: Engine, stopwatch: Stopwatch) -> None:
    """Have `stopwatch` run whenever a connection that this engine opens waits for the server."""

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, _record: Any, arguments: Any, options: dict[str, Any]) -> Any:
        driver = dialect.loaded_dbapi
        timed = {
            "connection_factory": _timed_connection(driver.extensions, stopwatch),
            "cursor_factory": _timed_cursor(driver.extensions, stopwatch),
        }
        with stopwatch.running():
            return driver.connect(*arguments, **options, **timed)


def _timed_connection(extensions: Any, stopwatch: Stopwatch) -> type[Any]:
    class Connection(extensions.connection):  # type: ignore[misc]  # the driver has no types
        def commit(self) -> None:
            with stopwatch.running():
                super().commit()

        def rollback(self) -> None:
            with stopwatch.running():
                super().rollback()

    return Connection


def _timed_cursor(extensions: Any, stopwatch: Stopwatch) -> type[Any]:
    class Cursor(extensions.cursor):  # type: ignore[misc]  # the driver has no types
        def execute(self, *arguments: Any) -> Any:
            with stopwatch.running():
                return super().execute(*arguments)

        def fetchmany(self, *arguments: Any) -> Any:
            with stopwatch.running():
                return super().fetchmany(*arguments)

        def copy_expert(self, statement: str, file: Any) -> Any:
            with stopwatch.running():
                source = _Source(file, stopwatch) if hasattr(file, "read") else file
                return super().copy_expert(statement, source)

    return Cursor


class _Source:
    """The file that a COPY is fed from."""

    def __init__(self, file: Any, stopwatch: Stopwatch) -> None:
        self._file = file
        self._stopwatch = stopwatch

    def read(self, size: int) -> bytes:
        with self._stopwatch.stopped():
            chunk: bytes = self._file.read(size)
        return chunk
