"""What a run has left behind: rows and files in a form that two ways to one end can share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, select

from audio_extract_dagster.database import tables
from audio_extract_dagster.model import DayCounts, Job, JobStatus
from audio_extract_dagster.storage import FolderStorage

Row = dict[str, Any]
Key = tuple[Any, ...]

# What may differ between two ways to the same end.
_PASSING = {"batch_id", "attempts", "first_requested_at", "stored_at", "updated_at"}


@dataclass(frozen=True)
class DayState:
    """The rows of a day by their keys, and the files by their names with their SHA-256.

    Left out is what may differ between two ways to the same end: times, batches, attempts.
    """

    conversations: Mapping[Key, Row]
    agent_calls: Mapping[Key, Row]
    records: Mapping[Key, Row]
    files: Mapping[str, str]

    def keys_with(self, status: str) -> set[Key]:
        """Conversation id, recording id and part of the records of one status."""
        return {key for key, row in self.records.items() if row["status"] == status}

    def records_but_of(self, *calls: str) -> dict[Key, Row]:
        """The records of all other calls."""
        return {key: row for key, row in self.records.items() if key[0] not in calls}

    @property
    def reasons(self) -> dict[str, int]:
        """The records that are not stored, counted by reason."""
        return dict(Counter(r["reason"] for r in self.records.values() if r["reason"]))


@dataclass(frozen=True)
class Ending:
    """One run of the day, when it was over: its job, its error if it broke, and the day's state.

    `requests` are those of this run by operation, as the simulator counted them; `downloads` the
    files that it gave out, with how often.
    """

    job: Job | None
    error: Exception | None
    state: DayState
    requests: Counter[str]
    downloads: Mapping[Key, int]
    batches: list[Row] = field(repr=False)

    @property
    def status(self) -> JobStatus | None:
        return self.job.status if self.job else None

    @property
    def batch_ends(self) -> list[tuple[str, str | None]]:
        """Status and error of each batch, in order."""
        return [(batch["status"], batch["error"]) for batch in self.batches]

    @property
    def counts(self) -> DayCounts:
        return self.job.counts if self.job else DayCounts()

    @property
    def api_requests(self) -> int:
        """Requests that count against the budget: downloads do not."""
        return sum(n for operation, n in self.requests.items() if operation != "download")


def read_state(engine: Engine, folder: Path) -> DayState:
    """The day's rows and files as they are now."""
    return DayState(
        conversations=_by_key(engine, tables.conversations, folder),
        agent_calls=_by_key(engine, tables.agent_calls, folder),
        records=_by_key(engine, tables.audio_records, folder),
        files=_files_in(folder),
    )


def read_rows(engine: Engine, table: Table) -> list[Row]:
    """All rows of a table, of whatever day, in the order of the key."""
    with engine.connect() as connection:
        found = connection.execute(select(table).order_by(*table.primary_key))
        return [dict(row._mapping) for row in found]


def _by_key(engine: Engine, table: Table, folder: Path) -> dict[Key, Row]:
    rows = {}
    for row in read_rows(engine, table):
        if row.get("uri"):
            row["uri"] = FolderStorage(folder).key_of(row["uri"])
        key = tuple(row[column.name] for column in table.primary_key)
        rows[key] = {name: value for name, value in row.items() if name not in _PASSING}
    return rows


def _files_in(folder: Path) -> dict[str, str]:
    """Every file below a folder, temporary ones too, with its SHA-256."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
