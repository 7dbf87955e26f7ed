"""Batch requests: the intent before, the request, the confirmation after; and refusals.

A run that dies in between leaves an intent without a job id, and the next run knows that nobody can
tell whether Genesys took it. Which calls go into a batch is decided in `planning.py`; what becomes
of a batch that was taken, in `collect.py`.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Engine

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.ledger import batches
from audio_extract_dagster.extraction.day_run import DayRun
from audio_extract_dagster.extraction.planning import BatchPlanner
from audio_extract_dagster.genesys import (
    BadRequest,
    GenesysClient,
    GenesysError,
    NotFound,
    NotPermitted,
    SubmissionUncertain,
)
from audio_extract_dagster.model import Batch, BatchStatus, CallToAsk

log = logging.getLogger(__name__)

# After so many in a row it is not one batch or one moment, it is Genesys or the network.
LOST_REPLIES = 3
# Finding one refused call among 100 by halving takes seven refusals.
REFUSALS = 16


class Submitted(NamedTuple):
    """A batch that Genesys took, or the one call that it refuses, and then why."""

    batch: Batch
    refusal: str | None = None


class Submitter:
    """Submits the batches of one day run, one at a time; `last_number` is the day's last so far."""

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
        self._in_a_row: Counter[type[GenesysError]] = Counter()

    def submit(self, calls: Sequence[CallToAsk]) -> Submitted | None:
        """Order the recordings of `calls`; None if they went back to the planner.

        Raises `SubmissionUncertain` or a refusal after too many of them in a row, and at once what
        `GenesysClient.submit_batch` raises besides.
        """
        batch = self._plan(calls)
        try:
            batch.genesys_job_id = self._client.submit_batch(batch.conversation_ids)
        except SubmissionUncertain as error:
            self.close_unsent(batch, "reply_lost")
            self._planner.reply_lost(calls)
            if self._times_in_a_row(error) >= LOST_REPLIES:
                raise
            return None
        except GenesysError as error:
            if not _may_mind_one_call(error):
                # It says that Genesys surely did not take it: nobody need wonder later.
                self.close_unsent(batch, "not_taken")
                raise
            refusal = f"refused: {error.code or error.status}"
            if self._times_in_a_row(error) >= REFUSALS:
                self.close_unsent(batch, refusal)
                raise
            return self._refused(batch, calls, refusal)
        self._in_a_row.clear()
        batch.submitted_at = self._clock.now()
        with self._engine.begin() as connection:
            batches.confirm(connection, batch)
        return Submitted(batch)

    def close_unsent(self, batch: Batch, error: str) -> None:
        """Close the intent of a batch that nobody can tell to be at Genesys."""
        log.warning("Batch %d: %s; its calls are planned again.", batch.number, error)
        with self._engine.begin() as connection:
            batches.close(connection, batch, BatchStatus.FAILED, error=error)

    def _plan(self, calls: Sequence[CallToAsk]) -> Batch:
        self._day_run.check()
        self._number += 1
        ids = tuple(call.conversation_id for call in calls)
        batch = Batch(str(uuid.uuid4()), self._number, ids)
        with self._engine.begin() as connection:
            batches.plan(
                connection,
                batch,
                run_id=self._day_run.run_id,
                call_date=self._day_run.call_date,
                now=self._clock.now(),
            )
        return batch

    def _refused(self, batch: Batch, calls: Sequence[CallToAsk], why: str) -> Submitted | None:
        """Genesys minds one of the calls: it is found by halving."""
        if len(calls) == 1:
            return Submitted(batch, why)
        self.close_unsent(batch, why)
        self._planner.refused(calls)
        return None

    def _times_in_a_row(self, error: GenesysError) -> int:
        self._in_a_row[type(error)] += 1
        return self._in_a_row[type(error)]


def _may_mind_one_call(error: GenesysError) -> bool:
    """Whether it refuses what was asked for: then a part of the batch may be taken.

    A 403 that names no permission may be about a call of another division.
    """
    if isinstance(error, NotPermitted):
        return not error.permissions
    return isinstance(error, (BadRequest, NotFound))
