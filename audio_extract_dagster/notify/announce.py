"""Decides whether the end of a run is worth a message, and puts it into the outbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.ledger import jobs, shapes
from audio_extract_dagster.model import DayCounts, Job, JobStatus
from audio_extract_dagster.notify import outbox
from audio_extract_dagster.notify.english import ENGLISH
from audio_extract_dagster.notify.message import compose
from audio_extract_dagster.notify.texts import Texts


@dataclass(frozen=True)
class Announcer:
    """Called with a job that has just ended, in the transaction that ends it.

    The first run of a day is always announced; a repeat only if the outcome, its cause or the
    counts of the day have changed. `run_url` gives the address of a run in the UI, `timezone` names
    the zone of the hours in its drawing.
    """

    clock: Clock
    opening: str
    run_url: Callable[[str], str]
    texts: Texts = ENGLISH
    timezone: str = "UTC"

    def __call__(self, connection: Connection, job: Job) -> None:
        earlier = jobs.ended_before(connection, job)
        if earlier is not None and _outcome(earlier) == _outcome(job):
            return
        url = self.run_url(job.run_id)
        message = compose(
            job,
            opening=self.opening,
            run_url=url,
            calls_by_hour=shapes.calls_by_hour(connection, job.call_date, self.timezone),
            texts=self.texts,
        )
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
