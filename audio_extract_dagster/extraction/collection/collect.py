"""The collection of a day's audio: submit batches, look, fetch, settle, close.

One thread coordinates: it makes every request to Genesys and every write to the ledger, one step at
a time; threads of a pool fetch the files. Each step leaves the ledger so that a run that dies here
can be taken up by the next. The rest is elsewhere: the batch request in `submitting.py`, the looks
in `looking.py`, what one batch knows in `flight.py`, what becomes of its calls in `settling.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Engine

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.connection import writing
from audio_extract_dagster.database.ledger import batches, inventory
from audio_extract_dagster.download.downloader import Downloader
from audio_extract_dagster.errors import AudioExtractError
from audio_extract_dagster.extraction.collection.download_pool import Arrival, DownloadPool
from audio_extract_dagster.extraction.collection.flight import Flight
from audio_extract_dagster.extraction.collection.links import RecordingLinks
from audio_extract_dagster.extraction.collection.look_plan import LookPlan
from audio_extract_dagster.extraction.collection.looking import Looker
from audio_extract_dagster.extraction.collection.planning import BatchPlanner
from audio_extract_dagster.extraction.collection.recorder import Recorder
from audio_extract_dagster.extraction.collection.settling import Settler
from audio_extract_dagster.extraction.collection.submitting import Submitter
from audio_extract_dagster.extraction.day_run import DayRun
from audio_extract_dagster.genesys import GenesysClient
from audio_extract_dagster.model import OPEN_CALLS, Batch, BatchFailure, CallToAsk, Selection

log = logging.getLogger(__name__)

# So many files may wait for each download thread before another batch is submitted: links die.
QUEUED_PER_THREAD = 20
# One that is there proves that the storage is; some may have been removed on purpose.
NEWEST_FILES = 5


@dataclass(frozen=True)
class CollectionLimits:
    """The settings that bound a collection; times in seconds but for `late_audio`."""

    batch_size: int
    batches_in_flight: int
    shortest_pause: float
    batch_deadline: float
    download_concurrency: int
    late_audio: timedelta


def collect_audio(
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
    """Collect the audio of the agent calls of one day that is not there yet.

    Returns when every call that `selection` means has its answer for now; `report` takes a line for
    each batch that ends. Raises what Genesys, the storage or the database raise when going on makes
    no sense. What had arrived by then is recorded, and batches stay open for the next run.
    """
    day = day_run.call_date
    with writing(engine) as connection:
        number = batches.last_number(connection, day)
        earlier = batches.usual_seconds(connection)
        left_open = batches.open_batches(connection, day)
        newest = inventory.newest_files(connection, NEWEST_FILES)
    # What is written where a share is not mounted is hidden once it is again.
    downloader.refuse_if_lost(newest)
    looks = LookPlan(limits.shortest_pause, client.link_lifetime().total_seconds(), earlier)
    planner = BatchPlanner(engine, day, limits.batch_size, selection)
    recorder = Recorder(day_run, engine, clock)
    downloader.remove_temporary(day)
    with DownloadPool(downloader, day, limits.download_concurrency, recorder.reopen) as pool:
        collection = _Collection(
            limits=limits,
            clock=clock,
            report=report,
            planner=planner,
            submitter=Submitter(day_run, client, engine, planner, clock=clock, last_number=number),
            looker=Looker(client, clock, looks, limits.batch_deadline),
            pool=pool,
            recorder=recorder,
            settler=Settler(client, planner, clock, limits.late_audio),
        )
        try:
            for batch in left_open:
                collection.take_up(batch)
            while collection.step():
                pass
        except BaseException:  # also a run that is canceled
            collection.save_arrivals()
            raise


@dataclass
class _Collection:
    """The batches that are under way, and what is to be done next about them."""

    limits: CollectionLimits
    clock: Clock
    report: Callable[[str], None]
    planner: BatchPlanner
    submitter: Submitter
    looker: Looker
    pool: DownloadPool
    recorder: Recorder
    settler: Settler
    flights: list[Flight] = field(default_factory=list)

    def take_up(self, batch: Batch) -> None:
        """A batch that a dead run left open: read it again, or close an intent without reply."""
        if batch.genesys_job_id is None:
            self.submitter.close_unsent(batch, BatchFailure.REPLY_LOST.value)
            return
        self.report(f"Batch {batch.number} of an earlier run is read again.")
        # Also what has a file by now: the batch may have more that the earlier run did not see.
        calls = self.planner.take(batch.conversation_ids)
        self.flights.append(self.looker.flight(batch, calls, taken_up=True))

    def step(self) -> bool:
        """Do the most urgent thing; returns False when nothing is left."""
        self._take_arrivals()
        self.recorder.flush_if_due()
        look = min((f for f in self.flights if f.wants_look), key=_next_look, default=None)
        if look is not None and look.next_look <= self.clock.monotonic():
            for recording in self.looker.look(look):
                self._fetch(look, recording)
        elif self._may_submit() and (
            calls := self.planner.next_calls(others_fly=bool(self.flights))
        ):
            self._submit(calls)
        elif landed := next((f for f in self.flights if f.can_settle), None):
            self._settle(landed)
        elif self.pool.outstanding:
            self._take_arrivals(wait_seconds=self._pause_until(look))
        elif look is not None:
            self.recorder.flush()
            self.clock.sleep(look.next_look - self.clock.monotonic())
        elif error := self.submitter.given_up:
            raise error
        else:
            return False
        return True

    def save_arrivals(self) -> None:
        """The run ends early: what is being fetched may arrive, and everything is recorded.

        What is there comes first: the rest takes minutes, and somebody may lose patience.
        """
        self._save()
        self.pool.cancel()
        self._save()

    def _save(self) -> None:
        try:
            for arrival in self.pool.arrivals():
                self._record(arrival)
            self.recorder.flush()
        except AudioExtractError as error:
            # The first error is the one to report; whatever has no row is fetched again.
            log.warning("Not everything that arrived could be recorded: %s", error)

    def _may_submit(self) -> bool:
        if self.submitter.given_up:
            return False  # what is under way is brought home before the run fails
        preparing = sum(not flight.finished for flight in self.flights)
        landed = len(self.flights) - preparing  # held in memory until they are settled
        queued = QUEUED_PER_THREAD * self.limits.download_concurrency
        has_room = max(preparing, landed) < self.limits.batches_in_flight
        return has_room and self.pool.outstanding < queued

    def _pause_until(self, look: Flight | None) -> float:
        """How long arrivals may be waited for: files are recorded and looks taken in time."""
        pause = 1.0 if look is None else look.next_look - self.clock.monotonic()
        return min(max(pause, 0.001), 1.0)

    def _submit(self, calls: Sequence[CallToAsk]) -> None:
        submitted = self.submitter.submit(calls)
        if submitted is None:
            return
        flight = self.looker.flight(submitted.batch, calls)
        if submitted.refusal is not None:
            # Its metadata tells what becomes of the one call that Genesys does not take.
            flight.refuse(submitted.refusal)
        self.flights.append(flight)

    def _settle(self, flight: Flight) -> None:
        if self.settler.settle_some(flight):
            self.recorder.close(flight)
            self.flights.remove(flight)
            # Only now: a call that goes out again at once must find its reasons written.
            for call, reasons in flight.settled:
                self.planner.answered(call, reasons.values())
            self.report(flight.summary())

    def _fetch(self, flight: Flight, recording: RecordingLinks) -> None:
        if recording.replaces:
            self.recorder.flush()  # a row that is written late would not be seen to be replaced
        self.pool.fetch(flight, recording)

    def _take_arrivals(self, wait_seconds: float = 0) -> None:
        for arrival in self.pool.arrivals(wait_seconds):
            if arrival.error is not None:
                raise arrival.error
            if newer := arrival.flight.offered_since(arrival.recording):
                self._fetch(arrival.flight, newer)
                continue
            self._record(arrival)
            if arrival.flight.arrived(arrival.recording, arrival.reason):
                arrival.flight.next_look = self.clock.monotonic()

    def _record(self, arrival: Arrival) -> None:
        """A file has come; what turned out to have other parts meanwhile is fetched again."""
        if arrival.stored and arrival.flight.offers(arrival.recording):
            self.recorder.stored(arrival.flight, arrival.stored)


def _next_look(flight: Flight) -> float:
    return flight.next_look
