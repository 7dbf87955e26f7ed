"""Runs the benchmarks of speed, each in a process of its own, and writes `RESULTS.md`.

The file is written after each of them: the last ones take the longest.
"""

# ruff: noqa: S603 - the commands are this package's own
from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import msgspec

from benchmarks.measure import ROUNDS, Finding, say, surroundings, table

_NAMES = (
    "api_requests",
    "tables",
    "decode",
    "loading",
    "empty_day",
    "download",
    "day",
    "scale",
)
_RESULTS = Path(__file__).parent / "RESULTS.md"
_HEADER = """\
# What was measured

Ratios to a yardstick that ran beside the candidate in the same round, medians of {rounds} rounds
(fewer where a line says so). Written by `python -m benchmarks`; see the docstring of each module
for what exactly it does.

"""


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(1), default=ROUNDS, show_default=True)
def main(rounds: int) -> None:
    findings: list[Finding] = []
    with TemporaryDirectory() as folder:
        for name in _NAMES:
            say(f"{name} …")
            file = Path(folder) / f"{name}.json"
            command = ["-m", f"benchmarks.{name}", "--rounds", str(rounds), "--json", str(file)]
            subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
            findings += msgspec.json.decode(file.read_bytes(), type=list[Finding])
            text = _HEADER.format(rounds=rounds) + table(findings) + f"\n{surroundings()}\n"
            _RESULTS.write_text(text, encoding="utf-8")
    say(f"{_RESULTS} is written.")


main()
