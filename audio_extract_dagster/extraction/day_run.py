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
from audio_extract_dagster.database.connection import reading, writing
from audio_extract_dagster.database.day_tables import DayRows
from audio_extract_dagster.database.ledger import accounts, jobs
from audio_extract_dagster.database.locks import LockLost, day_lock
from audio_extract_dagster.extraction.accounting import Verdict, verdict
from audio_extract_dagster.extraction.job_end import VANISHED, Announce, at_stage, end_job
from audio_extract_dagster.model import JobStatus, JobUsage

log = logging.getLogger(__name__)


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
        self._stopwatches: dict[str, Callable[[], float]] = {}

    def __enter__(self) -> DayRun:
        with ExitStack() as holding:
            self._lock = holding.enter_context(self._take_lock())
            with writing(self._engine) as connection:
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
            with writing(self._engine) as connection:
                self._close(connection)

    def meter(self, usage: Callable[[], JobUsage]) -> None:
        """Have the job's spending read from `usage`."""
        self._usage = usage

    def time(self, **stopwatches: Callable[[], float]) -> None:
        """Have the run tell where its time goes, in seconds by name."""
        self._stopwatches.update(stopwatches)

    def seconds(self) -> dict[str, float]:
        """Where the time of the run went so far."""
        return {name: round(read(), 3) for name, read in self._stopwatches.items()}

    def stage(self, name: str) -> None:
        """Say what the run does now; raises `LockLost` if another run could have taken the day."""
        self.check()
        self._stage = name
        with writing(self._engine) as connection:
            jobs.set_stage(connection, self.run_id, name)
            jobs.set_usage(connection, self.run_id, self._usage())

    def check(self) -> None:
        """Raise `LockLost` if another run could have taken the day."""
        if self._lock.check():
            return
        with reading(self._engine) as connection:
            job = jobs.job(connection, self.run_id)
        if job is None or job.status is not JobStatus.RUNNING:
            # While nobody held the lock, somebody took this run for dead, and another one may have
            # done the day. So that a second look does not find the lock and believe it:
            self._lock.release()
            raise LockLost.to_another_run(self.call_date)

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
            self._broken = Verdict(JobStatus.FAILED, at_stage(self._stage, error))

    def canceled(self) -> None:
        """Somebody stopped the run."""
        self._broken = Verdict(JobStatus.CANCELED, at_stage(self._stage, "canceled."))

    def _close(self, connection: Connection) -> None:
        jobs.set_usage(connection, self.run_id, self._usage())
        job = jobs.job(connection, self.run_id)
        if job is not None:
            end_job(connection, job, self._ending(connection), self._clock.now(), self._announce)

    def _ending(self, connection: Connection) -> Verdict:
        counts = accounts.count_day(connection, self.call_date)
        listing = accounts.listing_counts(connection, self.call_date)
        return self._broken or verdict(counts, listing, max_failed_percent=self._max_failed_percent)

    def _close_vanished(self, connection: Connection) -> None:
        """With the lock in our hands, whoever still says it runs this day is gone."""
        for job in jobs.running_jobs(connection, self.call_date):
            if job.run_id != self.run_id:
                log.warning(
                    "Run %s of %s vanished at stage %s.", job.run_id, job.call_date, job.stage
                )
                ending = Verdict(JobStatus.FAILED, at_stage(job.stage, VANISHED))
                end_job(connection, job, ending, self._clock.now(), self._announce)
