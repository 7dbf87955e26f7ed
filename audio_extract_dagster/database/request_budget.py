"""The API budget that all runs share, on however many machines: one row per OAuth client.

The rule is `genesys.pacing.Pace`; here is only its state, locked while a turn is taken. The times
in it are of the machines' own clocks, which are taken to agree within a second or so.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.dialects.postgresql import insert

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.connection import database_errors
from audio_extract_dagster.database.tables import request_budget
from audio_extract_dagster.genesys.pacing import Pace


class SharedBudget:
    """A `RequestBudget` in PostgreSQL. Safe for threads, processes and machines.

    Raises `DatabaseUnavailable` where the database cannot be asked: without it, nobody knows what
    the others spend.
    """

    def __init__(self, engine: Engine, client_id: str, per_minute: int, clock: Clock) -> None:
        self._engine = engine
        self._client_id = client_id
        self._per_minute = per_minute
        self._clock = clock

    def acquire(self) -> float:
        asked = self._clock.monotonic()
        while (wait := self._take()) > 0:
            self._clock.sleep(wait)
        return self._clock.monotonic() - asked

    def back_off(self, seconds: float) -> None:
        with database_errors(self._engine), self._engine.begin() as connection:
            pace = self._locked(connection)
            pace.back_off(self._now() + seconds)
            self._keep(connection, pace)

    def _take(self) -> float:
        with database_errors(self._engine), self._engine.begin() as connection:
            pace = self._locked(connection)
            wait = pace.take(self._now())
            if wait == 0:
                self._keep(connection, pace)
        return wait

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _locked(self, connection: Connection) -> Pace:
        mine = select(request_budget).where(request_budget.c.client_id == self._client_id)
        row = connection.execute(mine.with_for_update()).one_or_none()
        if row is None:
            first = {"client_id": self._client_id, "taken": [], "due": 0.0, "quiet_until": 0.0}
            connection.execute(insert(request_budget).values(first).on_conflict_do_nothing())
            row = connection.execute(mine.with_for_update()).one()
        return Pace(self._per_minute, list(row.taken), row.due, row.quiet_until)

    def _keep(self, connection: Connection, pace: Pace) -> None:
        connection.execute(
            update(request_budget)
            .where(request_budget.c.client_id == self._client_id)
            .values(taken=pace.taken, due=pace.due, quiet_until=pace.quiet_until)
        )
