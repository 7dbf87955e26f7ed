"""The table `extraction_jobs`: one row for each run of a day, from its start to its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Update, func, insert, select, update

from audio_extract_dagster.database.tables import extraction_jobs
from audio_extract_dagster.model import DayCounts, Job, JobStatus, JobUsage

_RUNNING = JobStatus.RUNNING.value


def open_job(connection: Connection, run_id: str, call_date: date, now: datetime) -> None:
    """A run of the day begins."""
    connection.execute(
        insert(extraction_jobs).values(
            run_id=run_id, call_date=call_date, status=_RUNNING, started_at=now
        )
    )


def set_stage(connection: Connection, run_id: str, stage: str) -> None:
    """What the run is doing, for those who follow it. An ended job never changes."""
    connection.execute(_running(run_id).values(stage=stage))


def set_usage(connection: Connection, run_id: str, usage: JobUsage) -> None:
    """What the run has spent so far. An ended job never changes."""
    connection.execute(_running(run_id).values(asdict(usage)))


def close_job(
    connection: Connection,
    run_id: str,
    status: JobStatus,
    now: datetime,
    *,
    counts: DayCounts | None = None,
    error: str | None = None,
) -> bool:
    """End a running job; returns False if it had ended already (an ended job never changes)."""
    values = {"status": status.value, "finished_at": now, "error": error}
    if counts is not None:
        values |= asdict(counts)
    return connection.execute(_running(run_id).values(values)).rowcount == 1


def job(connection: Connection, run_id: str) -> Job | None:
    """The job of one run."""
    query = select(extraction_jobs).where(extraction_jobs.c.run_id == run_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _job(row)


def jobs_of_runs(connection: Connection, run_ids: Sequence[str]) -> list[Job]:
    """The jobs of these runs, the last of each day, oldest day first."""
    query = (
        select(extraction_jobs)
        .where(extraction_jobs.c.run_id.in_(run_ids))
        .order_by(extraction_jobs.c.call_date, extraction_jobs.c.started_at)
    )
    last = {row.call_date: _job(row) for row in connection.execute(query)}
    return list(last.values())


def ended_before(connection: Connection, job: Job) -> Job | None:
    """The last job of the same day that ended before this one began."""
    query = (
        select(extraction_jobs)
        .where(
            extraction_jobs.c.call_date == job.call_date,
            extraction_jobs.c.run_id != job.run_id,
            extraction_jobs.c.finished_at <= job.started_at,
        )
        .order_by(extraction_jobs.c.started_at.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _job(row)


def running_jobs(connection: Connection, call_date: date | None = None) -> list[Job]:
    """Jobs that say they run, of one day or of all; a dead run leaves one behind."""
    query = select(extraction_jobs).where(extraction_jobs.c.status == _RUNNING)
    if call_date is not None:
        query = query.where(extraction_jobs.c.call_date == call_date)
    return [_job(row) for row in connection.execute(query)]


def last_jobs(connection: Connection, days: Iterable[date]) -> dict[date, Job]:
    """The last job of each of these days that had one."""
    query = (
        select(extraction_jobs)
        .where(extraction_jobs.c.call_date.in_(list(days)))
        .order_by(extraction_jobs.c.started_at)
    )
    return {row.call_date: _job(row) for row in connection.execute(query)}


def last_statuses(connection: Connection, days: Iterable[date]) -> dict[date, JobStatus]:
    """The status of the last job of each of these days that had one."""
    return {day: job.status for day, job in last_jobs(connection, days).items()}


def statuses_between(connection: Connection, first: date, last: date) -> dict[date, JobStatus]:
    """The status of the last job of each day from `first` to `last` that had one."""
    query = (
        select(extraction_jobs.c.call_date, extraction_jobs.c.status)
        .where(extraction_jobs.c.call_date.between(first, last))
        .order_by(extraction_jobs.c.started_at)
    )
    return {row.call_date: JobStatus(row.status) for row in connection.execute(query)}


def first_day(connection: Connection) -> date | None:
    """The earliest day that was ever run."""
    earliest: date | None = connection.scalar(select(func.min(extraction_jobs.c.call_date)))
    return earliest


def day_usage(connection: Connection, call_date: date) -> JobUsage:
    """What all runs of the day have spent together."""
    query = select(
        func.coalesce(func.sum(extraction_jobs.c.requests), 0),
        func.coalesce(func.sum(extraction_jobs.c.wait_seconds), 0.0),
    ).where(extraction_jobs.c.call_date == call_date)
    requests, wait_seconds = connection.execute(query).one()
    return JobUsage(int(requests), float(wait_seconds))


def _running(run_id: str) -> Update:
    return update(extraction_jobs).where(
        extraction_jobs.c.run_id == run_id, extraction_jobs.c.status == _RUNNING
    )


def _job(row: Row[Any]) -> Job:
    fields = row._mapping
    return Job(
        run_id=fields["run_id"],
        call_date=fields["call_date"],
        status=JobStatus(fields["status"]),
        stage=fields["stage"],
        started_at=fields["started_at"],
        finished_at=fields["finished_at"],
        counts=DayCounts(
            **{
                name: fields[name]
                for name in DayCounts.__dataclass_fields__
                if fields[name] is not None
            }
        ),
        usage=JobUsage(fields["requests"], fields["wait_seconds"]),
        error=fields["error"],
    )
