"""The table of the days and the proofs, in Markdown."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from benchmarks.many_machines.days import Run
from benchmarks.many_machines.proofs import Kill, Proof


def text(
    runs: Mapping[date, Sequence[Run]], kill: Kill, found: Sequence[Proof], seconds: float
) -> str:
    """Everything that there is to tell."""
    return "".join(f"{line}\n" for line in _lines(runs, kill, found, seconds))


def _lines(
    runs: Mapping[date, Sequence[Run]], kill: Kill, found: Sequence[Proof], seconds: float
) -> Iterator[str]:
    yield "| day | runs | machine | status | agent calls | stored | requests |"
    yield "|---|--:|---|---|--:|--:|--:|"
    for day, of_day in runs.items():
        job = of_day[-1].job
        machines = ", ".join(run.machine + ("" if run.is_done else " (†)") for run in of_day)
        requests = sum(run.job["requests"] for run in of_day)
        yield (
            f"| {day} | {len(of_day)} | {machines} | {job['status']} | {job['agent_calls']} "
            f"| {job['stored']} | {requests} |"
        )
    jobs = [run.job for of_day in runs.values() for run in of_day]
    yield (
        f"| {len(runs)} days | {len(jobs)} | | | {_sum(runs, 'agent_calls')} "
        f"| {_sum(runs, 'stored')} | {sum(job['requests'] for job in jobs)} |"
    )
    yield ""
    yield (
        f"{kill.machine} was killed {kill.at:.0f} s after the launch, in the middle of {kill.day}: "
        f"{len(kill.stored)} recordings of {kill.agent_calls} agent calls had their rows."
    )
    for run in runs[kill.day]:
        if run.job["finished_at"] is not None:
            after = (run.job["finished_at"] - kill.moment).total_seconds()
            what = "had done the rest" if run.is_done else "was found dead"
            yield f"{run.machine} {what} {after:.0f} s after the kill."
    yield f"Everything took {seconds:.0f} s on {os.cpu_count()} cores."
    yield ""
    yield "| promise | found | |"
    yield "|---|---|---|"
    yield from map(str, found)


def _sum(runs: Mapping[date, Sequence[Run]], column: str) -> int:
    """Of the last run of each day."""
    return sum(of_day[-1].job[column] or 0 for of_day in runs.values())
