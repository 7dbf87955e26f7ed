"""The collection of a day's audio: submit batches, look, fetch, settle, close.

One thread coordinates: it makes every request to Genesys and every write to the ledger, one step at
a time; threads of a pool fetch the files. Each step leaves the ledger so that a run that dies here
can be taken up by the next. The rest is elsewhere: the batch request in `submitting.py`, when to
look in `looks.py`, what one batch knows in `flight.py`, what becomes of a call in `outcomes.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.connection import database_errors
from audio_extract_dagster.database.ledger import batches
from audio_extract_dagster.download.downloader import Downloader
from audio_extract_dagster.errors import AudioExtractError
from audio_extract_dagster.extraction.day_run import DayRun
from audio_extract_dagster.extraction.download_pool import DownloadPool
from audio_extract_dagster.extraction.flight import Flight
from audio_extract_dagster.extraction.looks import LookPlan
from audio_extract_dagster.extraction.planning import BatchPlanner
from audio_extract_dagster.extraction.recorder import Recorder
from audio_extract_dagster.extraction.settling import Settler
from audio_extract_dagster.extraction.submitting import Submitter
from audio_extract_dagster.genesys import (
    GenesysClient,
    NotFound,
    NotPermitted,
    Unavailable,
    UnreadableAnswer,
)
from audio_extract_dagster.model import OPEN_CALLS, Batch, BatchState, CallToAsk, Selection

log = logging.getLogger(__name__)

# After so many in a row it is not one batch or one moment, it is Genesys or the network.
FAILED_LOOKS = 3
# So many files may wait for each download thread before another batch is submitted: links die.
QUEUED_PER_THREAD = 20


@dataclass(frozen=True)
class CollectionLimits:
    """The settings that bound a collection; times in seconds but for `late_audio`."""

    batch_size: int
    batches_in_flight: int
    shortest_pause: float
    batch_deadline: float
    download_concurrency: int
    late_audio: timedelta


class AudioCollection:
    """Collects the audio of the agent calls of one day that is not there yet. Use it once.

    `selection` says of which calls; `report` takes a line for each batch that ends.
    """

    def __init__(
        self,
        day_run: DayRun,
        client: GenesysClient,
        engine: Engine,
        downloader: Downloader,
        *,
        clock: Clock,
        limits: CollectionLimits,
        selection: Selection = OPEN_CALLS,
        report: Callable[[str], None] = log.info,
    ) -> None:
        self._day_run = day_run
        self._client = client
        self._engine = engine
        self._clock = clock
        self._limits = limits
        self._report = report
        self._downloader = downloader
        self._planner = BatchPlanner(engine, day_run.call_date, limits.batch_size, selection)
        self._settler = Settler(client, self._planner, clock, limits.late_audio)
        self._recorder = Recorder(day_run, engine, clock)
        self._pool = DownloadPool(
            downloader, day_run.call_date, limits.download_concurrency, self._recorder.reopen
        )
        self._flights: list[Flight] = []
        self._failed_looks = 0

    def run(self) -> None:
        """Returns when every call of the day has its answer for now.

        Raises what Genesys, the storage or the database raise when going on makes no sense. What
        had arrived by then is recorded, and batches stay open for the next run.
        """
        with self._pool:
            try:
                with database_errors(self._engine):
                    self._prepare()
                    while self._step():
                        pass
            except Exception:
                self._save_arrivals()
                raise

    def _prepare(self) -> None:
        link_life = self._client.link_lifetime().total_seconds()
        with self._engine.begin() as connection:
            number = batches.last_number(connection, self._day_run.call_date)
            earlier = batches.usual_seconds(connection)
            left_open = batches.open_batches(connection, self._day_run.call_date)
        self._submitter = Submitter(
            self._day_run,
            self._client,
            self._engine,
            self._planner,
            clock=self._clock,
            last_number=number,
        )
        self._downloader.remove_temporary(self._day_run.call_date)
        self._looks = LookPlan(self._limits.shortest_pause, link_life, earlier)
        for batch in left_open:
            self._take_up(batch)

    def _take_up(self, batch: Batch) -> None:
        """A batch that a dead run left open: read it again, or close an intent without reply."""
        if batch.genesys_job_id is None:
            with self._engine.begin() as connection:
                batches.close(connection, batch, BatchState.FAILED, error="reply_lost")
            self._report(f"Batch {batch.number}: reply lost; its calls are planned again.")
            return
        self._report(f"Batch {batch.number} of an earlier run is read again.")
        calls = self._planner.take(batch.conversation_ids)
        # Also what has a file by now: the batch may have more that the earlier run did not see.
        flight = self._launch(batch, calls, first_pause=0)
        flight.taken_up = True

    def _step(self) -> bool:
        """Do the most urgent thing; returns False when nothing is left."""
        self._take_arrivals()
        self._recorder.flush_if_due()
        look = min((f for f in self._flights if f.wants_look), key=_next_look, default=None)
        if look is not None and look.next_look <= self._clock.monotonic():
            self._look(look)
        elif self._has_room() and (
            calls := self._planner.next_calls(others_fly=bool(self._flights))
        ):
            self._submit(calls)
        elif landed := next((f for f in self._flights if f.can_settle), None):
            self._settle(landed)
        elif self._pool.outstanding:
            self._take_arrivals(wait_seconds=self._pause_until(look))
        elif look is not None:
            self._clock.sleep(look.next_look - self._clock.monotonic())
        else:
            return False
        return True

    def _has_room(self) -> bool:
        preparing = sum(not flight.finished for flight in self._flights)
        landed = len(self._flights) - preparing  # held in memory until they are settled
        queued = QUEUED_PER_THREAD * self._limits.download_concurrency
        has_room = max(preparing, landed) < self._limits.batches_in_flight
        return has_room and self._pool.outstanding < queued

    def _pause_until(self, look: Flight | None) -> float:
        """How long arrivals may be waited for: files are recorded and looks taken in time."""
        pause = 1.0 if look is None else look.next_look - self._clock.monotonic()
        return min(max(pause, 0.001), 1.0)

    def _submit(self, calls: Sequence[CallToAsk]) -> None:
        submitted = self._submitter.submit(calls)
        if submitted is None:
            return
        if submitted.refusal is None:
            self._launch(submitted.batch, calls, first_pause=self._looks.first_pause())
        else:
            # Its metadata tells what becomes of the one call that Genesys does not take.
            self._launch(submitted.batch, calls, first_pause=0).refuse(submitted.refusal)

    def _launch(self, batch: Batch, calls: Sequence[CallToAsk], *, first_pause: float) -> Flight:
        now = self._clock.monotonic()
        flying = 0.0
        if batch.submitted_at is not None:
            flying = max(0.0, (self._clock.now() - batch.submitted_at).total_seconds())
        flight = Flight(
            batch,
            {call.conversation_id: call for call in calls},
            next_look=now + first_pause,
            deadline=now + self._limits.batch_deadline - flying,
        )
        self._flights.append(flight)
        return flight

    def _look(self, flight: Flight) -> None:
        """Ask Genesys how far a batch is, and fetch what is new."""
        job_id = flight.batch.genesys_job_id
        flight.looked()
        try:
            status = self._client.batch_status(job_id or "")
        except (NotFound, NotPermitted):
            # Whoever ordered a batch may read it: this one is of an OAuth client we are no longer.
            flight.break_off("job_gone")
            return
        except (Unavailable, UnreadableAnswer):
            self._failed_looks += 1
            if self._failed_looks == FAILED_LOOKS:
                raise
            self._look_later(flight)
            return
        self._failed_looks = 0
        for recording in flight.absorb(status):
            self._pool.fetch(flight, recording)
        if flight.finished:
            return
        if status.finished:
            self._complete(flight)
        else:
            self._look_later(flight)

    def _complete(self, flight: Flight) -> None:
        flight.finished = True
        flight.batch.completed_at = self._clock.now()
        # A batch of an earlier run may have been ready for hours.
        if flight.batch.submitted_at is not None and not flight.taken_up:
            took = flight.batch.completed_at - flight.batch.submitted_at
            late = self._clock.monotonic() - flight.next_look
            self._looks.learn(took.total_seconds(), late=late)

    def _look_later(self, flight: Flight) -> None:
        now = self._clock.monotonic()
        if now >= flight.deadline:
            flight.break_off("deadline")
            return
        pause = self._looks.next_pause(flight.looks, has_results=flight.has_results)
        flight.next_look = min(now + pause, max(flight.deadline, now + 0.001))

    def _settle(self, flight: Flight) -> None:
        if self._settler.settle_some(flight):
            self._recorder.close(flight)
            self._flights.remove(flight)
            # Only now: a call that goes out again at once must find its reasons written.
            for call, reasons in flight.settled:
                self._planner.answered(call, reasons.values())
            self._report(flight.summary())

    def _take_arrivals(self, wait_seconds: float = 0) -> None:
        for arrival in self._pool.arrivals(wait_seconds):
            if arrival.error is not None:
                raise arrival.error
            if newer := arrival.flight.offered_since(arrival.recording):
                self._pool.fetch(arrival.flight, newer)
                continue
            self._recorder.stored(arrival)
            if arrival.flight.arrived(arrival.recording, arrival.reason):
                arrival.flight.next_look = self._clock.monotonic()

    def _save_arrivals(self) -> None:
        """The run ends early: what is being fetched may arrive, and everything is recorded."""
        self._pool.cancel()
        try:
            with database_errors(self._engine):
                for arrival in self._pool.arrivals():
                    self._recorder.stored(arrival)
                self._recorder.flush()
        except AudioExtractError as error:
            # The first error is the one to report; whatever has no row is fetched again.
            log.warning("Not everything that arrived could be recorded: %s", error)


def _next_look(flight: Flight) -> float:
    return flight.next_look
