"""One run of one day, from the lock to the verdict.

Whoever extracts a day does it inside a `DayRun`: it keeps a second writer out, keeps
`extraction_jobs` true whatever happens, and announces how the day ended in the same transaction.
What is done with the day is not its business.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from functools import partial

from sqlalchemy import Connection, Engine

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.connection import database_errors
from audio_extract_dagster.database.day_tables import DayRows
from audio_extract_dagster.database.ledger import accounts, jobs
from audio_extract_dagster.database.locks import day_lock
from audio_extract_dagster.extraction.accounting import Verdict, verdict
from audio_extract_dagster.model import Job, JobStatus, JobUsage

log = logging.getLogger(__name__)

Announce = Callable[[Connection, Job], None]


class DayRun:
    """A context manager around the work on one day.

    Entering raises `DayIsBusy` when another run works on the day for longer than `wait_seconds`.
    Leaving ends the job: `CANCELED` or `FAILED` if that was said or an exception leaves the block,
    otherwise as the accounts of the day decide.
    """

    def __init__(
        self,
        engine: Engine,
        schema: str,
        call_date: date,
        run_id: str,
        *,
        clock: Clock,
        max_failed_percent: float,
        announce: Announce,
        wait_seconds: float = 0,
    ) -> None:
        self.call_date = call_date
        self.run_id = run_id
        self._engine = engine
        self._clock = clock
        self._max_failed_percent = max_failed_percent
        self._announce = announce
        self._holding = ExitStack()
        self._take_lock = partial(
            day_lock, engine, schema, call_date, wait_seconds=wait_seconds, clock=clock
        )
        self._stage = "start"
        self._broken: Verdict | None = None
        self._usage: Callable[[], JobUsage] = JobUsage

    def __enter__(self) -> DayRun:
        with ExitStack() as holding:
            self._lock = holding.enter_context(self._take_lock())
            with database_errors(self._engine), self._engine.begin() as connection:
                self._close_vanished(connection)
                jobs.open_job(connection, self.run_id, self.call_date, self._clock.now())
            self._holding = holding.pop_all()
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        with self._holding:
            if isinstance(error, Exception):
                self.failed(str(error))
            elif error is not None:
                self.canceled()
            with database_errors(self._engine), self._engine.begin() as connection:
                self._close(connection)

    def meter(self, usage: Callable[[], JobUsage]) -> None:
        """Have the job's spending read from `usage`."""
        self._usage = usage

    def stage(self, name: str) -> None:
        """Say what the run does now; raises `LockLost` if another run could have taken the day."""
        self.check()
        self._stage = name
        with database_errors(self._engine), self._engine.begin() as connection:
            jobs.set_stage(connection, self.run_id, name)
            jobs.set_usage(connection, self.run_id, self._usage())

    def check(self) -> None:
        """Raise `LockLost` if another run could have taken the day."""
        self._lock.check()

    def guarded(self, rows: DayRows) -> DayRows:
        """The same stream, which fails at its end if another run could have taken the day.

        A listing takes minutes. `replace_day` asks for the counts after the last row, before it
        touches the day.
        """

        def counts() -> Mapping[str, object]:
            self.check()
            return rows.counts()

        return replace(rows, counts=counts)

    def failed(self, error: str) -> None:
        """The run broke; the first cause counts."""
        if self._broken is None:
            self._broken = Verdict(JobStatus.FAILED, f"{self._stage}: {error}")

    def canceled(self) -> None:
        """Somebody stopped the run."""
        self._broken = Verdict(JobStatus.CANCELED, f"{self._stage}: canceled.")

    def _close(self, connection: Connection) -> None:
        jobs.set_usage(connection, self.run_id, self._usage())
        counts = accounts.day_counts(connection, self.call_date)
        listing = accounts.stream_counts(connection, "conversations", self.call_date)
        ending = self._broken or verdict(
            counts, listing, max_failed_percent=self._max_failed_percent
        )
        closed = jobs.close_job(
            connection,
            self.run_id,
            ending.status,
            self._clock.now(),
            counts=counts,
            error=ending.cause,
        )
        job = jobs.job(connection, self.run_id)
        if closed and job is not None:
            self._announce(connection, job)

    def _close_vanished(self, connection: Connection) -> None:
        """With the lock in our hands, whoever still says it runs this day is gone."""
        for job in jobs.running_jobs(connection, self.call_date):
            if job.run_id != self.run_id:
                log.warning(
                    "Run %s of %s vanished at stage %s.", job.run_id, job.call_date, job.stage
                )
                stage = job.stage or "start"
                error = f"{stage}: the run vanished (killed, or machine or database lost)."
                now = self._clock.now()
                counts = accounts.day_counts(connection, self.call_date)
                jobs.close_job(
                    connection, job.run_id, JobStatus.FAILED, now, counts=counts, error=error
                )
                closed = jobs.job(connection, job.run_id)
                if closed is not None:
                    self._announce(connection, closed)
