"""Batch requests: the intent before, the request, the confirmation after; and refusals.

A run that dies in between leaves an intent without a job id, and the next run knows that nobody can
tell whether Genesys took it. Which calls go into a batch is decided in `planning.py`; what becomes
of a batch that was taken, in `collect.py`.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Engine

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.connection import writing
from audio_extract_dagster.database.ledger import batches
from audio_extract_dagster.extraction.collection.planning import BatchPlanner
from audio_extract_dagster.extraction.day_run import DayRun
from audio_extract_dagster.genesys import (
    BadRequest,
    GenesysClient,
    GenesysError,
    NotFound,
    NotPermitted,
    SubmissionUncertain,
)
from audio_extract_dagster.model import Batch, BatchFailure, BatchStatus, CallToAsk

log = logging.getLogger(__name__)

# After so many in a row it is not a call or a moment, it is Genesys or the network: each may be a
# batch that Genesys prepares for nobody. Finding one call that breaks requests takes no more.
LOST_REPLIES = 5


class Submitted(NamedTuple):
    """A batch that Genesys took, or a single call that it does not take, and then why."""

    batch: Batch
    refusal: str | None = None


class Submitter:
    """Submits the batches of one day run, one at a time; `last_number` is the day's last so far.

    `given_up` is the error after which there is no sense in another request, None so far. What is
    under way can still be brought home.
    """

    def __init__(
        self,
        day_run: DayRun,
        client: GenesysClient,
        engine: Engine,
        planner: BatchPlanner,
        *,
        clock: Clock,
        last_number: int,
    ) -> None:
        self._day_run = day_run
        self._client = client
        self._engine = engine
        self._planner = planner
        self._clock = clock
        self._number = last_number
        # More than one batch can cause, even if Genesys minds each of its calls.
        self._most_refusals = 2 * planner.batch_size
        self._refusals = self._lost_replies = 0  # in a row
        self.given_up: GenesysError | None = None

    def submit(self, calls: Sequence[CallToAsk]) -> Submitted | None:
        """Order the recordings of `calls`; None if they went back to the planner.

        Raises at once what `GenesysClient.submit_batch` raises, unless it may be about one of the
        calls: after too many of these in a row the submitter has `given_up`.
        """
        batch = self._plan(calls)
        try:
            batch.genesys_job_id = self._client.submit_batch(batch.conversation_ids)
        except SubmissionUncertain as error:
            return self._not_taken(batch, calls, error)
        except GenesysError as error:
            if not _may_mind_one_call(error):
                # It says that Genesys surely did not take it: nobody need wonder later.
                self.close_unsent(batch, BatchFailure.NOT_TAKEN.value)
                raise
            return self._not_taken(batch, calls, error)
        self._lost_replies = self._refusals = 0
        batch.submitted_at = self._clock.now()
        with writing(self._engine) as connection:
            batches.confirm(connection, batch)
        return Submitted(batch)

    def close_unsent(self, batch: Batch, error: str) -> None:
        """Close the intent of a batch that nobody can tell to be at Genesys."""
        log.warning("Batch %d: %s; its calls are left to another batch.", batch.number, error)
        with writing(self._engine) as connection:
            batches.close(connection, batch, BatchStatus.FAILED, error=error)

    def _plan(self, calls: Sequence[CallToAsk]) -> Batch:
        self._day_run.check()
        self._number += 1
        ids = tuple(call.conversation_id for call in calls)
        batch = Batch(str(uuid.uuid4()), self._number, ids)
        with writing(self._engine) as connection:
            batches.plan(
                connection,
                batch,
                run_id=self._day_run.run_id,
                call_date=self._day_run.call_date,
                now=self._clock.now(),
            )
        return batch

    def _not_taken(
        self, batch: Batch, calls: Sequence[CallToAsk], error: GenesysError
    ) -> Submitted | None:
        """It may be one of the calls: it is found by halving, and then is not planned again."""
        if isinstance(error, SubmissionUncertain):
            why = BatchFailure.REPLY_LOST.value
            planned_again = self._planner.reply_lost(calls)
            self._lost_replies += 1
        else:
            why = f"{BatchFailure.REFUSED.value}: {error.code or error.status}"
            planned_again = self._planner.refused(calls)
            self._refusals += 1
        if self._lost_replies >= LOST_REPLIES or self._refusals >= self._most_refusals:
            self.given_up = error
        if not planned_again:
            return Submitted(batch, why)
        self.close_unsent(batch, why)
        return None


def _may_mind_one_call(error: GenesysError) -> bool:
    """Whether it refuses what was asked for: then a part of the batch may be taken.

    A 403 that names no permission may be about a call of another division.
    """
    if isinstance(error, NotPermitted):
        return not error.permissions
    return isinstance(error, (BadRequest, NotFound))
