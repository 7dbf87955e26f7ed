"""Memory and time as the day grows: 1,000, 10,000 and 100,000 calls with short recordings.

Each is `audio-extract run` in a process of its own: its peak memory as the operating system counts
it, and its time less that of a day of 100 calls, per call: one of none has no threads and no
connections to make. A small day differs from the next by as much as its calls cost, so it is run
more often than a large one; all sizes take turns, so that the machine is the same for each.
"""

# ruff: noqa: S603 - the command is our own
from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, Popen
from time import perf_counter

from sqlalchemy import text

from audio_extract_dagster.cli.instance import ready_settings
from audio_extract_dagster_tests.postgres import Server
from benchmarks.measure import Finding, main, say
from benchmarks.org import DAY
from benchmarks.surroundings import enter, folder, helper, server, variables

_FEW = 100
_SMALL, _MIDDLE, _LARGE = _SIZES = (1_000, 10_000, 100_000)
_BYTES = 4_000
_SMALL_DAYS = 4  # of each small size in a round
_MOST_ROUNDS = 2  # the largest day alone takes half of the ten minutes that a benchmark may


def measure(rounds: int) -> list[Finding]:
    seconds: dict[int, list[float]] = defaultdict(list)
    peaks: dict[int, list[float]] = defaultdict(list)
    with folder() as place, server() as postgres:
        for number, calls in enumerate(_turns(min(rounds, _MOST_ROUNDS))):
            home = place / str(number)
            home.mkdir()
            taken, peak = _run(calls, home, postgres)
            say(f"{calls:,} calls: {taken:.1f} s, {peak:.0f} MiB")
            seconds[calls].append(taken)
            peaks[calls].append(peak)
    fixed = median(seconds[_FEW])
    memory = [peak / median(peaks[_SMALL]) for peak in peaks[_LARGE]]
    per_call = {n: [(taken - fixed) / (n - _FEW) for taken in seconds[n]] for n in _SIZES}
    usual = median(per_call[_MIDDLE])
    return [
        Finding(f"peak memory at {_LARGE:,} calls", f"at {_SMALL:,} calls", memory, 1.25),
        *(
            Finding(f"time per call at {n:,} calls", f"at {_MIDDLE:,} calls",
                    [taken / usual for taken in per_call[n]], 1.15)
            for n in (_SMALL, _LARGE)
        ),
    ]  # fmt: skip


def _turns(rounds: int) -> Iterator[int]:
    """The sizes of the days to run, one after the other; the largest takes minutes, and is last."""
    for _ in range(rounds):
        yield from (_FEW, _SMALL) * _SMALL_DAYS
        yield _MIDDLE
    yield _LARGE


def _run(calls: int, home: Path, postgres: Server) -> tuple[float, float]:
    """Seconds and peak memory (MiB) of one run; what it leaves stays until all are done."""
    options = ["--calls", str(calls), "--set", f"audio_bytes={_BYTES}"]
    with postgres.database() as made, helper("org", *options) as url:
        environment = dict(variables(made, url, home))
        enter(environment)
        ready_settings()
        command = [sys.executable, "-c", "from audio_extract_dagster.cli import main; main()"]
        started = perf_counter()
        run = Popen([*command, "run", "--date", DAY.isoformat()], stdout=DEVNULL)
        _, status, usage = os.wait4(run.pid, 0)
        seconds = perf_counter() - started
        if status:
            raise RuntimeError(f"the run of {calls} calls failed")
        with made.engine.connect() as connection:
            stored = connection.scalar(text("SELECT stored FROM daily_report"))
        if stored != calls:
            raise RuntimeError(f"{stored} recordings instead of {calls}")
    return seconds, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main(measure)
