"""Memory and time as the day grows: 1,000, 10,000 and 100,000 calls with short recordings.

Each is `audio-extract run` in a process of its own: its peak memory as the operating system counts
it, and its time less that of a day of 100 calls, per call: one of none has no threads and no
connections to make. The largest day is run once, the others up to three times.
"""

# ruff: noqa: S603 - the command is our own
from __future__ import annotations

import os
import shutil
import sys
from statistics import median
from subprocess import DEVNULL, Popen
from time import perf_counter

from sqlalchemy import text

from audio_extract_dagster.cli.instance import ready_settings
from benchmarks.measure import Finding, main, say
from benchmarks.org import DAY
from benchmarks.surroundings import database, enter, folder, helper, variables

_FEW = 100
_SIZES = (_FEW, 1_000, 10_000, 100_000)
_BYTES = 4_000


def measure(rounds: int) -> list[Finding]:
    seconds: dict[int, list[float]] = {}
    peaks: dict[int, list[float]] = {}
    for calls in _SIZES:
        repeats = 1 if calls == max(_SIZES) else min(rounds, 3)
        runs = [_run(calls) for _ in range(repeats)]
        seconds[calls] = [taken for taken, _ in runs]
        peaks[calls] = [peak for _, peak in runs]
        say(f"{calls:,} calls: {median(seconds[calls]):.1f} s, {median(peaks[calls]):.0f} MiB")
    smallest, middle, largest = _SIZES[1:]
    fixed = median(seconds[_FEW])
    memory = [peak / median(peaks[smallest]) for peak in peaks[largest]]
    per_call = {n: [(taken - fixed) / (n - _FEW) for taken in seconds[n]] for n in _SIZES[1:]}
    usual = median(per_call[middle])
    return [
        Finding(f"peak memory at {largest:,} calls", f"at {smallest:,} calls", memory, 1.25),
        *(
            Finding(f"time per call at {n:,} calls", f"at {middle:,} calls",
                    [taken / usual for taken in per_call[n]], 1.15)
            for n in (smallest, largest)
        ),
    ]  # fmt: skip


def _run(calls: int) -> tuple[float, float]:
    """Seconds and peak memory (MiB) of one run."""
    options = ["--calls", str(calls), "--set", f"audio_bytes={_BYTES}"]
    with folder() as home, database() as made, helper("org", *options) as url:
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
        shutil.rmtree(home / "audio", ignore_errors=True)
    return seconds, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main(measure)
