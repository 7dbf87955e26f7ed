"""What runs of a day have left behind: rows and files, and what they asked of Genesys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from audio_extract_dagster.database import tables
from audio_extract_dagster.database.ledger import accounts
from audio_extract_dagster.model import DayCounts
from audio_extract_dagster.simulator.batches import Submission
from audio_extract_dagster_tests.scenarios.ending import DayState, Key, Row, read_rows, read_state

Recordings = frozenset[tuple[str, str]]
"""Conversation id and recording id."""


@dataclass(frozen=True)
class Leftovers:
    """What is there after a run: jobs and batches in order, the day's rows and files.

    `requests` and `downloads` are what this run asked for, as Genesys counted them; `submitted` is
    what Genesys was asked to prepare since the first run.
    """

    jobs: list[Row]
    batches: list[Row]
    messages: list[Row]
    listing: Mapping[str, Any]
    counts: DayCounts
    state: DayState
    requests: Mapping[str, int]
    downloads: Mapping[Key, int]
    submitted: list[Submission]

    @property
    def stage(self) -> str:
        """What the last run does, or did when it ended."""
        return self.jobs[-1]["stage"] or "start" if self.jobs else "before its job"

    def batches_in(self, status: str) -> list[Row]:
        return [batch for batch in self.batches if batch["status"] == status]

    def stored_as_in(self, other: Leftovers) -> Recordings:
        """The recordings of which every part is stored here as it is there."""
        here, there = _stored_parts(self.state), _stored_parts(other.state)
        return frozenset(key for key, parts in here.items() if parts == there.get(key))

    @property
    def open_calls(self) -> frozenset[str]:
        """Calls that any run may ask for again: Genesys said not yet, or something failed."""
        return frozenset(
            row["conversation_id"]
            for row in self.state.records.values()
            if row["status"] in ("PENDING", "FAILED")
        )


def leftovers(
    engine: Engine,
    folder: Path,
    *,
    requests: Mapping[str, int],
    downloads: Mapping[Key, int],
    submitted: list[Submission],
) -> Leftovers:
    """Read everything that the runs of the one day in this database have left."""
    jobs = sorted(read_rows(engine, tables.extraction_jobs), key=lambda row: row["started_at"])
    batches = read_rows(engine, tables.audio_batches)
    listings = read_rows(engine, tables.day_counts)
    with engine.connect() as connection:
        counts = accounts.count_day(connection, jobs[-1]["call_date"]) if jobs else DayCounts()
    return Leftovers(
        jobs,
        sorted(batches, key=lambda row: row["batch_number"]),
        read_rows(engine, tables.notifications),
        listings[0]["counts"] if listings else {},
        counts,
        read_state(engine, folder),
        requests,
        downloads,
        submitted,
    )


def batches_again(submitted: Iterable[Submission], may_be_asked_again: frozenset[str]) -> int:
    """How many batches have a call that a later one asks for again without being allowed to."""
    again = 0
    later: set[str] = set()
    for submission in reversed(list(submitted)):
        calls = {conversation_id for conversation_id, _ in submission.items} - may_be_asked_again
        again += not calls.isdisjoint(later)
        later |= calls
    return again


def differences(state: DayState, expected: DayState) -> list[str]:
    """Where a day differs from another, in words and by number; nothing if it does not."""
    found = []
    for kind in ("conversations", "agent_calls", "records", "files"):
        here: Mapping[Any, Any] = getattr(state, kind)
        there: Mapping[Any, Any] = getattr(expected, kind)
        for what, keys in {
            "lost": there.keys() - here.keys(),
            "too many": here.keys() - there.keys(),
            "changed": {key for key in here.keys() & there.keys() if here[key] != there[key]},
        }.items():
            if keys:
                found.append(f"{len(keys)} {kind} {what}, such as {min(keys)}")
    return found


def _stored_parts(state: DayState) -> dict[tuple[str, str], set[tuple[int, str]]]:
    """Of each recording with stored files, their parts and checksums."""
    parts: dict[tuple[str, str], set[tuple[int, str]]] = {}
    for (conversation_id, recording_id, part), row in state.records.items():
        if row["status"] == "STORED":
            parts.setdefault((conversation_id, recording_id), set()).add((part, row["sha256"]))
    return parts
