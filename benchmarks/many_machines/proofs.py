"""What a backfill over several machines is promised, and what was found of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from sqlalchemy import Engine

from audio_extract_dagster_tests.kill.leftovers import batches_again
from benchmarks.many_machines.days import (
    Run,
    content,
    last_statuses,
    objects,
    open_sums,
    stored,
)
from benchmarks.many_machines.org import PunctualSimulator


@dataclass(frozen=True)
class Kill:
    """A worker that died in the middle of a run, and what the day had by then."""

    machine: str
    day: date
    run_id: str
    moment: datetime
    at: float
    """Seconds since the launch."""
    agent_calls: int
    stored: frozenset[tuple[str, str]]
    """Conversation and recording ids that had their rows."""
    open_calls: frozenset[str]
    """Calls that any run may ask for again."""


@dataclass(frozen=True)
class Proof:
    """A promise, what was found, and whether that keeps it."""

    promise: str
    found: str
    kept: bool

    def __str__(self) -> str:
        return f"| {self.promise} | {self.found} | {'kept' if self.kept else '**BROKEN**'} |"


def proofs(
    calm: Engine,
    disturbed: Engine,
    simulator: PunctualSimulator,
    runs: Mapping[date, Sequence[Run]],
    kill: Kill,
    *,
    machines: int,
    per_minute: int,
    uri: str,
) -> Iterator[Proof]:
    """Everything that was promised; `calm` has the same days, undisturbed."""
    ends, calm_ends = last_statuses(disturbed), last_statuses(calm)
    alike = sum(ends.get(day) == status for day, status in calm_ends.items())
    yield Proof(
        "every day ends as it does undisturbed",
        f"{alike} of {len(calm_ends)} days",
        ends == calm_ends,
    )
    rows, calm_rows = content(disturbed), content(calm)
    other = [key for key in rows.keys() | calm_rows.keys() if rows.get(key) != calm_rows.get(key)]
    yield Proof(
        "every row of calls and recordings is as it is undisturbed, checksums too",
        f"{len(rows)} rows, {len(other)} differ",
        not other,
    )
    yield _nothing("sums that do not close", open_sums(disturbed, list(calm_ends)))
    there, told = objects(uri), stored(disturbed)
    yield Proof(
        "objects in the bucket and STORED rows are one to one, sizes too",
        f"{len(there)} objects, {len(told)} rows",
        there == told,
    )
    yield _nothing("temporary objects", [name for name in there if name.endswith(".part")])
    yield from _nothing_twice(simulator, kill)
    most = simulator.most_in_a_minute()
    # What is under way when a minute begins was sent before it: of each machine one at most, as a
    # run asks one thing at a time.
    yield Proof(
        f"at most {per_minute} requests arrive in any 60 seconds, "
        "and one of each machine that was under way before",
        f"{most} at most",
        most <= per_minute + machines,
    )
    yield _nothing("days with two runs at a time", _overlaps(runs))
    died = [run for day in runs.values() for run in day if not run.is_done]
    yield Proof(
        "no run but the killed one failed",
        f"{len(died)} failed: {', '.join(str(run.job['error']) for run in died)}",
        [run.run_id for run in died] == [kill.run_id],
    )


def _nothing_twice(simulator: PunctualSimulator, kill: Kill) -> Iterator[Proof]:
    again = [key for key, times in simulator.counters.downloads.items() if times > 1]
    on_their_way = [key for key in again if key[:2] not in kill.stored]
    yield Proof(
        "no recording is fetched twice, but those that had no row at the kill",
        f"{len(again)} twice, {len(again) - len(on_their_way)} of them with a row",
        len(again) == len(on_their_way),
    )
    batches = batches_again(simulator.log, kill.open_calls)
    yield Proof("at most one batch is asked for twice", f"{batches} twice", batches <= 1)


def _nothing(what: str, found: Iterable[str]) -> Proof:
    listed = list(found)
    return Proof(f"no {what}", "; ".join(listed[:3]) or "none", not listed)


def _overlaps(runs: Mapping[date, Sequence[Run]]) -> list[str]:
    """Days of which a run began before the one before it had ended."""
    return [
        str(day)
        for day, of_day in runs.items()
        for earlier, later in pairwise(of_day)
        if earlier.job["finished_at"] is None
        or later.job["started_at"] < earlier.job["finished_at"]
    ]
