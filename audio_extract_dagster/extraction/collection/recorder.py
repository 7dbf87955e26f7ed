"""Writes down what arrived: groups of stored files become rows, a settled batch is closed.

All writes of a collection to the ledger, but for those around the batch request itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.connection import writing
from audio_extract_dagster.database.ledger import batches, records
from audio_extract_dagster.database.ledger.records import Asked
from audio_extract_dagster.extraction.collection.flight import Flight
from audio_extract_dagster.extraction.collection.links import RecordingLinks
from audio_extract_dagster.extraction.day_run import DayRun
from audio_extract_dagster.model import BatchStatus, StoredRecording

# Files are recorded in groups of this size; and no row waits longer than so many seconds, unless a
# request takes longer. What a kill takes away is fetched again: a group is small against a day.
GROUP = 100
WITHIN_SECONDS = 2.0


class Recorder:
    """Records arrivals of one day run. Every write first makes sure that the day is still ours."""

    def __init__(self, day_run: DayRun, engine: Engine, clock: Clock) -> None:
        self._day_run = day_run
        self._engine = engine
        self._clock = clock
        self._waiting: dict[tuple[str, str], tuple[Flight, StoredRecording]] = {}
        self._oldest = 0.0

    def stored(self, flight: Flight, recording: StoredRecording) -> None:
        """A recording is in the storage, whole; its rows follow soon."""
        if not self._waiting:
            self._oldest = self._clock.monotonic()
        # Of a recording that came again with more parts, only the latest is true.
        key = recording.conversation_id, recording.recording_id
        self._waiting[key] = flight, recording

    def reopen(self, recording: RecordingLinks) -> None:
        """Other files are about to take the places that the rows of this recording claim.

        Until they are recorded, a run that dies must not leave rows about files that are gone.
        The one write of the ledger that the threads of the download pool make.
        """
        self._day_run.check()
        with writing(self._engine) as connection:
            records.reopen(connection, *recording.key, self._clock.now())

    def flush_if_due(self) -> None:
        """Write the rows if enough are waiting or one waits too long."""
        if self._waiting and (
            len(self._waiting) >= GROUP or self._clock.monotonic() - self._oldest >= WITHIN_SECONDS
        ):
            self.flush()

    def flush(self) -> None:
        """Write the rows of everything that arrived."""
        if not self._waiting:
            return
        self._day_run.check()
        with writing(self._engine) as connection:
            for flight in _distinct(flight for flight, _ in self._waiting.values()):
                recordings = [stored for owner, stored in self._waiting.values() if owner is flight]
                records.write_stored(connection, self._asked(flight), recordings, flight.calls)
        self._waiting.clear()

    def close(self, flight: Flight) -> None:
        """Write the reasons of a settled batch and close it, in one transaction."""
        self.flush()
        self._day_run.check()
        state = BatchStatus.COMPLETED if flight.error is None else BatchStatus.FAILED
        with writing(self._engine) as connection:
            records.write_reasons(connection, self._asked(flight), flight.settled)
            records.mark_more(
                connection, flight.calls.values(), flight.may_have_more, self._clock.now()
            )
            batches.close(connection, flight.batch, state, error=flight.error)

    def _asked(self, flight: Flight) -> Asked:
        return Asked(self._day_run.call_date, flight.batch.batch_id, self._clock.now())


def _distinct(flights: Iterable[Flight]) -> list[Flight]:
    return list({id(flight): flight for flight in flights}.values())
