"""The API budget that all runs share, on however many machines: one row per OAuth client.

The rule is `genesys.pacing.Pace`; here is only its state, locked while a turn is booked. The times
in it are of the server's clock, the only one that all machines have in common. Whoever waits has
booked: turns come in the order in which they are asked for, and a crowd that waits asks nothing.
"""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Engine,
    Row,
    cast,
    extract,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.connection import reading, writing
from audio_extract_dagster.database.tables import request_budget
from audio_extract_dagster.genesys.pacing import Pace

_log = logging.getLogger(__name__)

SERVER_TIME: ColumnElement[float] = cast(extract("epoch", func.clock_timestamp()), Double)
"""The server's clock in Unix seconds."""


class _State(NamedTuple):
    pace: Pace
    now: float


# A turn that comes so soon has come: sleeping is not as exact, nor are times in so many seconds.
_AT_ONCE = 0.001


class SharedBudget:
    """A `RequestBudget` in PostgreSQL. Safe for threads, processes and machines.

    Raises `DatabaseUnavailable` where the database cannot be asked: without it, nobody knows what
    the others spend. `clock` is waited by, `now` is what the time is for everybody.
    """

    def __init__(
        self,
        engine: Engine,
        client_id: str,
        per_minute: int,
        clock: Clock,
        now: ColumnElement[float] = SERVER_TIME,
    ) -> None:
        self._engine = engine
        self._client_id = client_id
        self._per_minute = per_minute
        self._clock = clock
        self._row = select(request_budget, now.label("now")).where(
            request_budget.c.client_id == client_id
        )

    def acquire(self) -> float:
        asked = self._clock.monotonic()
        turn, wait = self._book()
        while wait > _AT_ONCE:
            self._clock.sleep(wait)
            turn, wait = self._look_again(turn)
        return self._clock.monotonic() - asked

    def back_off(self, seconds: float) -> None:
        with writing(self._engine) as connection:
            pace, now = self._locked(connection)
            pace.back_off(now + seconds)
            self._keep(connection, pace)

    def _book(self) -> tuple[float, float]:
        """The next turn that nobody has, and how long it is until it comes."""
        with writing(self._engine) as connection:
            pace, now = self._locked(connection)
            if pace.is_of_another_time(now):
                _log.warning("The clock was set back: the request budget begins anew.")
            turn = pace.book(now)
            self._keep(connection, pace)
        return turn, turn - now

    def _look_again(self, turn: float) -> tuple[float, float]:
        """The turn, and how long it is until it comes; another one if it has become void."""
        with reading(self._engine) as connection:
            pace, now = self._state(connection.execute(self._row).one())
        if pace.is_silenced(turn) or pace.is_of_another_time(now):
            return self._book()
        return turn, turn - now

    def _locked(self, connection: Connection) -> _State:
        mine = self._row.with_for_update()
        row = connection.execute(mine).one_or_none()
        if row is None:
            first = {"client_id": self._client_id, "taken": [], "due": 0.0, "quiet_until": 0.0}
            connection.execute(insert(request_budget).values(first).on_conflict_do_nothing())
            row = connection.execute(mine).one()
        return self._state(row)

    def _state(self, row: Row[Any]) -> _State:
        pace = Pace(self._per_minute, list(row.taken), row.due, row.quiet_until)
        return _State(pace, row.now)

    def _keep(self, connection: Connection, pace: Pace) -> None:
        connection.execute(
            update(request_budget)
            .where(request_budget.c.client_id == self._client_id)
            .values(taken=pace.taken, due=pace.due, quiet_until=pace.quiet_until)
        )
