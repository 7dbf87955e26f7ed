"""Advisory locks: one writer per day.

A lock belongs to a database connection: when its process dies, PostgreSQL lets go of it. Which work
needs the lock is decided by the caller.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import date

from sqlalchemy import Connection, Engine, exc, text

from audio_extract_dagster.clock import Clock, SystemClock
from audio_extract_dagster.database.connection import DatabaseUnavailable, database_errors, reading
from audio_extract_dagster.errors import NotYet, TryAgain
from audio_extract_dagster.model import JobStatus

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0


class DayIsBusy(NotYet):
    """Another run works on this day."""


class LockLost(TryAgain):
    """The connection that held the lock is gone, and the day is ours no longer."""

    @classmethod
    def to_another_run(cls, day: date) -> LockLost:
        return cls(
            f"The lock of {day} is lost: its connection broke and another run took the day. "
            "This run stops, so that there are never two writers; what it stored is kept."
        )


def advisory_key(*names: str) -> int:
    """A signed 64-bit key, the same in every process for the same names."""
    digest = hashlib.blake2b("\0".join(names).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


@contextmanager
def day_lock(
    engine: Engine,
    schema: str,
    day: date,
    *,
    wait_seconds: float = 0,
    clock: Clock | None = None,
) -> Iterator[DayLock]:
    """Hold the lock of `day`, waiting for it up to `wait_seconds`; raises `DayIsBusy` after that.

    The waiting is done here and not in the server, so that Ctrl-C ends it.
    """
    clock = clock or SystemClock()
    lock = DayLock(engine, schema, day)
    deadline = clock.monotonic() + wait_seconds
    waiting = False
    while not lock.take():
        if clock.monotonic() >= deadline:
            raise DayIsBusy(
                f"Another run is working on {day}. Wait until it has ended, or cancel it, and run "
                "the day again; what is done is not done twice."
            )
        if not waiting:
            waiting = True
            _log.info("Another run is working on %s: waiting up to %g s.", day, wait_seconds)
        clock.sleep(_PAUSE_SECONDS)
    try:
        yield lock
    finally:
        lock.release()


def is_held(engine: Engine, schema: str, day: date) -> bool:
    """Whether any process holds the lock of `day`."""
    with reading(engine) as connection:
        return bool(connection.scalar(_HELD, _day_key(schema, day)))


def busy_days(engine: Engine, schema: str, last_status: Mapping[date, JobStatus]) -> set[date]:
    """The days on which a run works at this moment; a job that only says so has vanished."""
    return {
        day
        for day, status in last_status.items()
        if status is JobStatus.RUNNING and is_held(engine, schema, day)
    }


class DayLock:
    """The lock of one day, on a connection of its own. Safe for threads. See `day_lock`."""

    def __init__(self, engine: Engine, schema: str, day: date) -> None:
        self._engine = engine
        self._key = _day_key(schema, day)
        self._day = day
        self._connection: Connection | None = None
        # Reentrant: `check` finds the connection broken and takes the lock again in one step. Of
        # threads that find it together, one takes it and the others see that it is ours.
        self._guard = threading.RLock()

    def take(self) -> bool:
        """Take the lock if it is free; whether it is ours now."""
        with self._guard, database_errors(self._engine), ExitStack() as unless_taken:
            connection = unless_taken.enter_context(self._engine.connect())
            # No transaction stays open for the hours of a run.
            connection.execution_options(isolation_level="AUTOCOMMIT")
            # Closing a detached connection ends the session: no lock stays behind in the pool.
            connection.detach()
            taken = bool(connection.scalar(_TAKE, self._key))
            if taken:
                self._connection = connection
                unless_taken.pop_all()
            return taken

    def check(self) -> bool:
        """Make sure that the lock is still ours; if its connection broke, take it again.

        Returns whether it was ours all the time: if not, another run may have had it meanwhile.
        Raises `LockLost` if another run has it now or PostgreSQL cannot be reached.
        """
        with self._guard:
            if self._is_ours():
                return True
            self.release()
            _log.warning(
                "The connection that held the lock of %s broke; taking it again.", self._day
            )
            try:
                if self.take():
                    return False
            except DatabaseUnavailable as error:
                raise LockLost(f"The lock of {self._day} is lost. {error}") from error
        raise LockLost.to_another_run(self._day)

    def check_unbroken(self) -> None:
        """Raise `LockLost` unless the lock was ours all the time, for whoever keeps no job."""
        if not self.check():
            self.release()
            raise LockLost.to_another_run(self._day)

    def release(self) -> None:
        """Let go of the lock. Repeating is harmless."""
        with self._guard:
            connection, self._connection = self._connection, None
            if connection is None:
                return
            # Closing alone frees the lock only when the server gets to notice it.
            with suppress(exc.SQLAlchemyError):  # the connection may be broken
                connection.scalar(_RELEASE, self._key)
            connection.close()

    def _is_ours(self) -> bool:
        if self._connection is None:
            return False
        try:
            return bool(self._connection.scalar(_OURS, self._key))
        except exc.DBAPIError:
            return False


def _day_key(schema: str, day: date) -> dict[str, int]:
    """The key as `pg_locks` shows it too: its upper and its lower half."""
    key = advisory_key("day", schema, day.isoformat())
    return {"key": key, "upper": key >> 32 & 0xFFFFFFFF, "lower": key & 0xFFFFFFFF}


_RELEASE = text("SELECT pg_advisory_unlock(:key)")
_TAKE = text("SELECT pg_try_advisory_lock(:key)")
# PostgreSQL's manual, "pg_locks": a bigint key shows as classid, objid and objsubid 1.
_HOLDERS = (
    "SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid = :upper AND objid = :lower AND objsubid = 1"
)
_HELD = text(f"SELECT EXISTS ({_HOLDERS})")
_OURS = text(f"SELECT EXISTS ({_HOLDERS} AND pid = pg_backend_pid())")
