"""How far a run is, in the run's log: who follows it in the UI sees it move."""

from datetime import date

import dagster as dg
from sqlalchemy import Engine

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.ledger import accounts

# Counting takes longer the longer the day; so often it costs nothing worth mentioning.
EVERY_SECONDS = 15.0


class LoggedProgress:
    """Takes a line for each batch, and adds from time to time how many calls are answered."""

    def __init__(self, log: dg.DagsterLogManager, engine: Engine, day: date, clock: Clock) -> None:
        self._log = log
        self._engine = engine
        self._day = day
        self._clock = clock
        self._next = clock.monotonic()

    def __call__(self, line: str) -> None:
        self._log.info(line)
        if self._clock.monotonic() < self._next:
            return
        with self._engine.connect() as connection:
            total, answered = accounts.progress(connection, self._day)
        self._log.info(f"{answered:,} of {total:,} agent calls of {self._day} have their answer.")
        self._next = self._clock.monotonic() + EVERY_SECONDS
