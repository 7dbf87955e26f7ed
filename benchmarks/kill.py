"""Kills a run at many points of one day, and tells in a table what became of each.

    python -m benchmarks.kill --points 200 --output kill.md

What a killed day is promised is checked by `audio_extract_dagster_tests/kill/promises.py`, whose
experiments the test suite makes with fewer points. Needs nothing but the test environment.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click

from audio_extract_dagster.simulator import World
from audio_extract_dagster_tests.kill.experiment import (
    Experiment,
    contact_centre,
    evenly,
)
from audio_extract_dagster_tests.kill.promises import Aftermath, broken_promises
from audio_extract_dagster_tests.postgres import Server, running_server

_HEAD = (
    "| point | killed when | at stage | runs until done | batches again | files again "
    "| stored files again | end state |\n|--:|---|---|--:|--:|--:|--:|---|\n"
)


@dataclass(frozen=True)
class Line:
    """What became of one killed day."""

    point: int
    moment: str
    stage: str
    runs: int
    batches_again: int
    files_again: int
    stored_again: int
    broken: list[str]

    def __str__(self) -> str:
        end = "; ".join(self.broken) or "equal"
        return (
            f"| {self.point} | {self.moment} | {self.stage} | {self.runs} | {self.batches_again} "
            f"| {self.files_again} | {self.stored_again} | {end} |"
        )


@click.command()
@click.option("--points", type=click.IntRange(1), default=200, help="How many kills.")
@click.option("--jobs", type=click.IntRange(1), default=2, help="How many days at a time.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Markdown file.")
def main(points: int, jobs: int, output: Path | None) -> None:
    """Kill POINTS runs of a day, spread evenly over it; exit code 1 if a promise is broken."""
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder)) as server,
        ThreadPoolExecutor(jobs) as threads,
    ):
        world = contact_centre()
        calm = _day(world, server)
        futures = [
            threads.submit(_killed_day, world, server, calm, point, points)
            for point in range(points)
        ]
        lines = []
        with click.progressbar(futures, label="killing", file=sys.stderr) as waiting:
            for future in waiting:
                lines.append(future.result())
                text = "".join(_report(lines, calm, time.monotonic() - started))
                if output is not None:  # a long table is worth reading before its end
                    output.write_text(text, encoding="utf-8")
    click.echo(text, nl=False)
    sys.exit(any(line.broken for line in lines))


def _day(world: World, server: Server) -> Aftermath:
    """The day that nobody disturbs."""
    with (
        server.database() as database,
        tempfile.TemporaryDirectory() as folder,
        Experiment(world, database, Path(folder)) as experiment,
    ):
        return experiment.finish()


def _killed_day(world: World, server: Server, calm: Aftermath, point: int, points: int) -> Line:
    with (
        server.database() as database,
        tempfile.TemporaryDirectory() as folder,
        Experiment(world, database, Path(folder)) as experiment,
    ):
        death = experiment.kill(evenly(point, points, calm))
        after = experiment.finish()
    return Line(
        point + 1,
        f"{death.moment} ({death.operation})",
        death.left.stage,
        len(after.runs),
        after.batches_again,
        after.downloads_again(calm),
        after.stored_fetched_again(calm),
        broken_promises(after, calm),
    )


def _report(lines: Sequence[Line], calm: Aftermath, seconds: float) -> Iterator[str]:
    yield _HEAD
    yield from (f"{line}\n" for line in lines)
    day = calm.end
    broken = [line for line in lines if line.broken]
    yield (
        f"\n{len(lines)} kills of a day of {day.counts.agent_calls} agent calls, "
        f"{len(day.submitted)} batches, {sum(day.downloads.values())} files and "
        f"{sum(day.requests.values())} requests, in {seconds:.0f} s on {os.cpu_count()} cores.\n\n"
        f"- end state equal to the undisturbed day: {len(lines) - len(broken)} of {len(lines)}\n"
        f"- runs until done after a kill: at most {max(line.runs for line in lines)}\n"
        f"- batches asked for again: {sum(line.batches_again for line in lines)} in all, "
        f"at most {max(line.batches_again for line in lines)} a kill\n"
        f"- files fetched again, all of them without a row when the run died: "
        f"{sum(line.files_again for line in lines)} in all, "
        f"at most {max(line.files_again for line in lines)} a kill\n"
        f"- stored files fetched again: {sum(line.stored_again for line in lines)}\n"
    )


if __name__ == "__main__":
    main()
