"""The looks at batches that Genesys is preparing: how far they are, what they offer, when to stop.

When to look is planned in `look_plan.py`; what an answer means for the calls is in `flight.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.extraction.collection.flight import Flight
from audio_extract_dagster.extraction.collection.links import RecordingLinks
from audio_extract_dagster.extraction.collection.look_plan import LookPlan
from audio_extract_dagster.genesys import (
    BadRequest,
    GenesysClient,
    NotFound,
    NotPermitted,
    Unavailable,
    UnreadableAnswer,
)
from audio_extract_dagster.model import Batch, BatchFailure, CallToAsk

# After so many in a row it is not one batch or one moment, it is Genesys or the network.
FAILED_LOOKS = 3


class Looker:
    """Looks at the batches of one run; `deadline` seconds after its submission one is given up."""

    def __init__(
        self, client: GenesysClient, clock: Clock, plan: LookPlan, deadline: float
    ) -> None:
        self._client = client
        self._clock = clock
        self._plan = plan
        self._deadline = deadline
        self._failed_in_a_row = 0

    def flight(self, batch: Batch, calls: Sequence[CallToAsk], *, taken_up: bool = False) -> Flight:
        """A batch that has just been submitted, or is `taken_up`: perhaps ready for hours."""
        now = self._clock.monotonic()
        flying = 0.0
        if batch.submitted_at is not None:
            flying = max(0.0, (self._clock.now() - batch.submitted_at).total_seconds())
        return Flight(
            batch,
            {call.conversation_id: call for call in calls},
            next_look=now if taken_up else now + self._plan.first_pause(),
            deadline=now + self._deadline - flying,
            taken_up=taken_up,
        )

    def look(self, flight: Flight) -> list[RecordingLinks]:
        """Ask Genesys how far a batch is; returns the recordings to fetch because of the answer.

        Raises what `GenesysClient.batch_status` raises, of passing faults the third in a row. A
        batch that fails as often while Genesys tells of others is given up alone.
        """
        flight.looked()
        try:
            status = self._client.batch_status(flight.batch.genesys_job_id or "")
        except (BadRequest, NotFound, NotPermitted):
            # Whoever ordered a batch may read it: this one is of an OAuth client we are no longer,
            # or Genesys does not know it any more.
            flight.break_off(BatchFailure.JOB_GONE)
            return []
        except (Unavailable, UnreadableAnswer):
            self._failed_in_a_row += 1
            flight.failed_looks += 1
            if self._failed_in_a_row == FAILED_LOOKS:
                raise
            if flight.failed_looks >= FAILED_LOOKS:
                flight.break_off(BatchFailure.UNREADABLE)
            else:
                self._look_later(flight)
            return []
        self._failed_in_a_row = flight.failed_looks = 0
        offered = flight.absorb(status)
        if not flight.finished:
            if status.finished:
                self._complete(flight)
            else:
                self._look_later(flight)
        return offered

    def _complete(self, flight: Flight) -> None:
        flight.finished = True
        flight.batch.completed_at = self._clock.now()
        if flight.batch.submitted_at is not None and not flight.taken_up:
            took = flight.batch.completed_at - flight.batch.submitted_at
            late = self._clock.monotonic() - flight.next_look
            self._plan.learn(took.total_seconds(), late=late)

    def _look_later(self, flight: Flight) -> None:
        now = self._clock.monotonic()
        if now >= flight.deadline:
            flight.break_off(BatchFailure.DEADLINE)
            return
        pause = self._plan.next_pause(flight.looks, has_results=flight.has_results)
        flight.next_look = min(now + pause, max(flight.deadline, now + 0.001))
