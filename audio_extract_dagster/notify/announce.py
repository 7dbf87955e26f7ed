"""Decides whether the end of a run is worth a message, and puts it into the outbox."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.ledger import jobs, shapes
from audio_extract_dagster.model import DayCounts, Job, JobStatus
from audio_extract_dagster.notify import outbox
from audio_extract_dagster.notify.letterhead import Letterhead
from audio_extract_dagster.notify.message import compose


@dataclass(frozen=True)
class Announcer:
    """Called with a job that has just ended, in the transaction that ends it.

    The first run of a day is always announced; a repeat only if the outcome, its cause or the
    counts of the day have changed.
    """

    clock: Clock
    letterhead: Letterhead

    def __call__(self, connection: Connection, job: Job) -> None:
        earlier = jobs.ended_before(connection, job)
        if earlier is not None and _outcome(earlier) == _outcome(job):
            return
        calls = shapes.calls_by_hour(connection, job.call_date, self.letterhead.timezone)
        message = compose(job, self.letterhead, calls_by_hour=calls)
        outbox.enqueue(
            connection,
            outbox.Kind.DAY,
            message,
            about=job.run_id,
            outcome=job.status.value,
            call_date=job.call_date,
            now=self.clock.now(),
        )


def _outcome(job: Job) -> tuple[JobStatus, DayCounts, str]:
    """What a reader would see changed; screens left out are counted anew with every asking.

    Of the cause the words count: what has a digit in it (times, sizes, the correlation id of an
    answer) differs from run to run.
    """
    cause = re.sub(r"\S*\d\S*", "", job.error or "")
    return job.status, replace(job.counts, ignored=0), cause
