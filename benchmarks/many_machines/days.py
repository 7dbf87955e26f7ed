"""What the runs of the days have left behind: rows, objects, jobs; read, not judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from dagster import DagsterInstance, RunsFilter
from sqlalchemy import Engine, text

from audio_extract_dagster.database import tables
from audio_extract_dagster.database.ledger import accounts
from audio_extract_dagster.extraction.accounting import gaps, listing_gaps
from audio_extract_dagster.storage import open_storage
from audio_extract_dagster_tests.scenarios.ending import Row, read_rows
from benchmarks.many_machines.fleet import Fleet

# What may differ between two ways to the same end; where a file is has its own proof.
_PASSING = {"batch_id", "attempts", "first_requested_at", "stored_at", "updated_at", "uri"}
_COMPARED = (tables.conversations, tables.agent_calls, tables.audio_records)

_DONE = ("SUCCEEDED", "INCOMPLETE")


@dataclass(frozen=True)
class Run:
    """One run of one day: its job, and the machine that took it."""

    run_id: str
    machine: str
    job: Row

    @property
    def is_done(self) -> bool:
        return self.job["status"] in _DONE


class Progress(NamedTuple):
    """A day whose audio is being fetched."""

    day: date
    stored: int
    agent_calls: int


def content(engine: Engine) -> dict[tuple[Any, ...], Row]:
    """Every row that tells of calls and recordings, by table and key, but for what is passing."""
    return {
        (table.name, *(row[column.name] for column in table.primary_key)): {
            name: value for name, value in row.items() if name not in _PASSING
        }
        for table in _COMPARED
        for row in read_rows(engine, table)
    }


def stored(engine: Engine) -> dict[str, int]:
    """URI and size of every recording that is said to be stored."""
    rows = read_rows(engine, tables.audio_records)
    return {row["uri"]: row["size_bytes"] for row in rows if row["status"] == "STORED"}


def objects(uri: str) -> dict[str, int]:
    """URI and size of every object in the bucket."""
    storage = open_storage(uri)
    return {storage.uri(key): size for key, size in storage.list("")}


def open_sums(engine: Engine, days: Sequence[date]) -> list[str]:
    """The sums that do not close, by day."""
    found = []
    with engine.connect() as connection:
        for day in days:
            counts = accounts.count_day(connection, day)
            listing = accounts.listing_counts(connection, day)
            found += [f"{day}: {gap}" for gap in [*gaps(counts), *listing_gaps(listing)]]
    return found


def last_statuses(engine: Engine) -> dict[date, str]:
    """How the last job of each day ended, or that it runs."""
    jobs = sorted(read_rows(engine, tables.extraction_jobs), key=lambda row: row["started_at"])
    return {job["call_date"]: job["status"] for job in jobs}


def done_days(engine: Engine) -> int:
    """How many days are done by now."""
    return sum(status in _DONE for status in last_statuses(engine).values())


def runs_by_day(engine: Engine, instance: DagsterInstance, fleet: Fleet) -> dict[date, list[Run]]:
    """The runs of each day in the order in which they began."""
    tasks = {run.run_id: run.tags.get("dagster-celery/task_id") for run in instance.get_runs()}
    found: Mapping[date, list[Run]] = defaultdict(list)
    for job in sorted(read_rows(engine, tables.extraction_jobs), key=lambda row: row["started_at"]):
        machine = fleet.worker_of(tasks.get(job["run_id"]))
        found[job["call_date"]].append(Run(job["run_id"], machine, job))
    return dict(sorted(found.items()))


def run_of_task(instance: DagsterInstance, task: str) -> str | None:
    """The run that a Celery task is about; None while the task is not yet on the run."""
    runs = instance.get_runs(RunsFilter(tags={"dagster-celery/task_id": task}))
    return runs[0].run_id if runs else None


def progress(engine: Engine, run_id: str) -> Progress | None:
    """How far a run is with its audio; None before and afterwards."""
    with engine.connect() as connection:
        row = connection.execute(_PROGRESS, {"run": run_id}).one_or_none()
    return Progress(*row) if row is not None else None


_PROGRESS = text(
    "SELECT call_date,"
    " (SELECT count(*) FROM audio_records r WHERE r.call_date = j.call_date"
    "   AND r.status = 'STORED'),"
    " (SELECT count(*) FROM agent_calls a WHERE a.call_date = j.call_date)"
    " FROM extraction_jobs j WHERE run_id = :run AND status = 'RUNNING' AND stage = 'audio'"
)
