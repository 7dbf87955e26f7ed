"""How far a run is, in the run's log: so that whoever follows it in the UI sees it move."""

from __future__ import annotations

from datetime import date

import dagster as dg
from sqlalchemy import Engine

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.connection import reading
from audio_extract_dagster.database.ledger import accounts

# Dagster opens a connection to its storage for each message, and counting takes longer the longer
# the day: so often they cost nothing worth mentioning.
EVERY_SECONDS = 10.0


class LoggedProgress:
    """Takes a line for each batch, and logs them with how many calls are answered.

    The first line is logged at once, later ones together from time to time and at the end of the
    block.
    """

    def __init__(self, log: dg.DagsterLogManager, engine: Engine, day: date, clock: Clock) -> None:
        self._log = log
        self._engine = engine
        self._day = day
        self._clock = clock
        self._next = clock.monotonic()
        self._lines: list[str] = []

    def __enter__(self) -> LoggedProgress:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not self._lines:
            return
        if error is None:
            self._tell()
        else:  # perhaps it was the database that failed: nothing is asked of it
            self._log.info("\n".join(self._lines))

    def __call__(self, line: str) -> None:
        self._lines.append(line)
        if self._clock.monotonic() >= self._next:
            self._tell()

    def _tell(self) -> None:
        with reading(self._engine) as connection:
            total, answered = accounts.progress(connection, self._day)
        answers = f"{answered:,} of {total:,} agent calls of {self._day} have their answer."
        self._log.info("\n".join([*self._lines, answers]))
        self._lines.clear()
        self._next = self._clock.monotonic() + EVERY_SECONDS
