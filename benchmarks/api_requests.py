"""How few API requests a day takes, and how long it takes when Genesys is the limit.

On a clock that jumps: 300 requests a minute, three minutes for a batch, files in no time. Whatever
time then passes is due to Genesys, or to how it was asked. The bound is what nobody can beat: the
pages at the budget's pace, then the batches in as many waves as fit in flight, or their requests
at the budget's pace, whichever is longer.
"""

from __future__ import annotations

import logging
import random
from datetime import timedelta
from math import ceil
from pathlib import Path

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database import tables
from audio_extract_dagster.extraction.collection import CollectionLimits
from audio_extract_dagster.genesys import GenesysClient, LocalBudget
from audio_extract_dagster_tests.defs.surroundings import bare_environment
from audio_extract_dagster_tests.postgres import Database
from audio_extract_dagster_tests.scenarios.day import CLIENT_ID, CLIENT_SECRET, Scene
from benchmarks.measure import Finding, main, say
from benchmarks.org import DAY, RepeatingOrg
from benchmarks.surroundings import database, enter, folder

_CALLS = 10_000
_PER_MINUTE = 300
_BATCH_SECONDS = 180.0
_LIMITS = CollectionLimits(
    batch_size=90,
    batches_in_flight=16,
    shortest_pause=10,
    batch_deadline=3600,
    download_concurrency=8,
    late_audio=timedelta(days=7),
)


class _Day(Scene):
    """A day with the whole budget of a token."""

    def client(self, clock: Clock | None = None) -> GenesysClient:
        clock = clock or self.clock
        return GenesysClient(
            self.simulator.url,
            self.simulator.url,
            CLIENT_ID,
            CLIENT_SECRET,
            budget=LocalBudget(_PER_MINUTE, clock),
            clock=clock,
            rng=random.Random(7),  # noqa: S311 - jitter
        )


def measure(rounds: int) -> list[Finding]:
    """`rounds` does not matter: each run is the same. Two days: the first has to learn."""
    del rounds
    enter(bare_environment())
    logging.disable(logging.WARNING)
    findings = []
    with folder() as home, database() as made:
        for what in ("first day", "any other day"):
            findings += _measure_day(made, home / what, what)
            _forget_day(made)
    return findings


def _measure_day(made: Database, home: Path, what: str) -> list[Finding]:
    with _Day(RepeatingOrg(_CALLS), made, home, day=DAY, limits=_LIMITS) as day:
        switches = day.simulator.switches
        switches.batch_seconds = _BATCH_SECONDS
        switches.audio_bytes = 2000
        started = day.clock.monotonic()
        if error := day.attempt(what):
            raise error
        seconds = day.clock.monotonic() - started
        spent = day.simulator.counters
        batches = ceil(_CALLS / _LIMITS.batch_size)
        pages = ceil(_CALLS / 100)
        polls = spent["batch_poll"]
        say(f"{what}: {spent.operations}, {seconds:.0f} s")
        stored = len(spent.downloads)
        if stored != _CALLS:
            raise RuntimeError(f"{stored} recordings instead of {_CALLS}")
    waves = ceil(batches / _LIMITS.batches_in_flight) * _BATCH_SECONDS
    at_budget = 2 * batches * 60 / _PER_MINUTE
    bound = (pages + 1) * 60 / _PER_MINUTE + max(waves, at_budget)
    name = f"{_CALLS:,} calls, {what}"
    extra = float(spent["details_query"] - pages + spent["batch_submit"] - batches)
    return [
        Finding(f"{name}: pages and batches above the bound", "100 a page, 90 a batch",
                [extra], 2, "requests"),
        Finding(f"{name}: looks at a batch", "1", [polls / batches],
                4 if what != "first day" else None, "a batch"),
        Finding(f"{name}: metadata requests", "calls without a result: 0",
                [float(spent["metadata"])], 0, "requests"),
        Finding(f"{name}: time under the real limits", f"bound of {bound:.0f} s",
                [seconds / bound], 1.15),
    ]  # fmt: skip


def _forget_day(made: Database) -> None:
    """Everything but how long batches took."""
    with made.engine.begin() as connection:
        for table in (tables.audio_records, tables.agent_calls, tables.conversations):
            connection.execute(table.delete())


if __name__ == "__main__":
    main(measure)
