"""The end of a job: counts, row and announcement in one transaction, once, whoever ends it.

How it ended is decided elsewhere: by the run itself (`day_run.py`), or by whoever finds it gone
(`day_run.py`, `after_run.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from audio_extract_dagster.database.ledger import accounts, jobs
from audio_extract_dagster.extraction.accounting import Verdict
from audio_extract_dagster.model import Job

Announce = Callable[[Connection, Job], None]

VANISHED = "the run vanished (killed, or machine or database lost)."
"""The cause where a run is gone and nobody knows why."""


def end_job(
    connection: Connection, job: Job, ending: Verdict, now: datetime, announce: Announce
) -> None:
    """End a running job and announce it; one that has ended already is left as it is."""
    counts = accounts.count_day(connection, job.call_date)
    closed = jobs.close_job(
        connection, job.run_id, ending.status, now, counts=counts, error=ending.cause
    )
    ended = jobs.job(connection, job.run_id)
    if closed and ended is not None:
        announce(connection, ended)


def at_stage(stage: str | None, cause: str) -> str:
    """A cause, with what the run was doing at that time."""
    return f"{stage or 'start'}: {cause}"
