"""Measuring against a yardstick: rounds of A B A B, ratios, medians, and the table they end in.

Only ratios mean something on a machine that others use too, so a candidate and its yardstick run
one after the other in each round, and take turns at being first. What is measured is in the other
modules.
"""

# ruff: noqa: RUF001 - typographic signs, as in any text for people
from __future__ import annotations

import platform
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from os import cpu_count, getloadavg, sysconf
from pathlib import Path
from statistics import median
from time import perf_counter

import click
import msgspec

ROUNDS = 5

_PACKAGES = (
    *("dagster", "SQLAlchemy", "psycopg2-binary", "pandas", "msgspec", "pycurl"),
    *("orjson", "adbc-driver-postgresql", "pyarrow"),
)


@dataclass(frozen=True)
class Finding:
    """One line of the table: a value for each round, and what its median must not exceed."""

    what: str
    yardstick: str
    values: list[float]
    target: float | None = None
    unit: str = "×"

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "reached" if self.median <= self.target else "**not reached**"


@dataclass(frozen=True)
class Candidate:
    """Something to compare with the yardstick; `seconds` does it once and says how long it took."""

    what: str
    seconds: Callable[[], float]
    target: float | None = None


def compare(
    yardstick: str, reference: Callable[[], float], candidates: Sequence[Candidate], rounds: int
) -> list[Finding]:
    """Run yardstick and candidates in turn, `rounds` times; ratios to the round's yardstick.

    Each round begins with another one of them: what one leaves behind (a disk that still writes)
    is not always felt by the same one.
    """
    ratios: list[list[float]] = [[] for _ in candidates]
    measured = [reference, *(candidate.seconds for candidate in candidates)]
    turns = deque(range(len(measured)))
    for number in range(1, rounds + 1):
        taken_by = {at: measured[at]() for at in turns}
        turns.rotate(-1)
        base, *seconds = (taken_by[at] for at in range(len(measured)))
        for ratio, taken in zip(ratios, seconds, strict=True):
            ratio.append(taken / base)
        shown = ", ".join(f"{taken:.2f}" for taken in seconds)
        say(f"  round {number}: yardstick {base:.2f} s, candidates {shown} s")
    return [
        Finding(candidate.what, yardstick, ratio, candidate.target)
        for candidate, ratio in zip(candidates, ratios, strict=True)
    ]


def timed(action: Callable[[], object]) -> float:
    """How many seconds an action takes."""
    started = perf_counter()
    action()
    return perf_counter() - started


def table(findings: Iterable[Finding]) -> str:
    """Findings as a Markdown table."""
    lines = [
        "| what | yardstick | median | min – max | target | |",
        "|---|---|---|---|---|---|",
    ]
    for each in findings:
        target = "" if each.target is None else f"≤ {each.target:g} {each.unit}"
        spread = f"{min(each.values):.2f} – {max(each.values):.2f}"
        lines.append(
            f"| {each.what} | {each.yardstick} | {each.median:.2f} {each.unit} | {spread} "
            f"| {target} | {each.verdict} |"
        )
    return "\n".join(lines) + "\n"


def surroundings() -> str:
    """The machine and the versions, on one line."""
    versions = ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    memory = sysconf("SC_PAGE_SIZE") * sysconf("SC_PHYS_PAGES") / 2**30
    load = ", ".join(f"{value:.1f}" for value in getloadavg())
    return (
        f"{cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, {versions}. Load average at the end: {load}."
    )


def say(text: str) -> None:
    """A line of progress."""
    click.echo(text, err=True)


def main(measure: Callable[[int], list[Finding]]) -> None:
    """The command line of one benchmark."""

    @click.command(help=sys.modules[measure.__module__].__doc__)
    @click.option("--rounds", type=click.IntRange(1), default=ROUNDS, show_default=True)
    @click.option("--json", "file", type=click.Path(path_type=Path), help="Write findings here.")
    def command(rounds: int, file: Path | None) -> None:
        findings = measure(rounds)
        if file is not None:
            file.write_bytes(msgspec.json.encode(findings))
        click.echo(table(findings))
        click.echo(surroundings())

    command()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
