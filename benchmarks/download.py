"""Audio files from the wire into the storage: `DownloadPool` against `curl --parallel`.

Ours receives, hashes, looks at each file and names it; once as in production, where content, name
and folder are synced to the disk, and once without these syncs, as curl does. Each candidate is a
process of its own (`download_once.py`), which takes its own time, so that starting Python is not in
it.
"""

# ruff: noqa: S603 - the command is this package's own
from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks.measure import Candidate, Finding, compare, main, say, timed
from benchmarks.surroundings import folder, helper, put_away

_CURL = "curl --parallel --parallel-max 32"

# Files, bytes of each, latency in ms, targets with and without syncing.
_CASES = (
    (2000, 300_000, 30, 1.0, 0.8),
    (2000, 300_000, 0, 1.6, 1.3),
    (300, 5_000_000, 0, None, 1.1),
)


def measure(rounds: int) -> list[Finding]:
    findings = []
    # One folder for all: to delete that of one case would slow the next one down, see `put_away`.
    with folder() as home:
        for files, size, latency, durable_target, target in _CASES:
            what = f"{files} files of {size / 1e6:g} MB, {latency} ms"
            say(what)
            arguments = ["--size", str(size), "--latency-ms", str(latency)]
            with helper("file_server", *arguments) as url:
                ours = partial(_ours, url, files, home)
                findings += compare(
                    _CURL,
                    partial(_curl, url, files, home),
                    [
                        Candidate(
                            f"{what}: received, hashed, looked at",
                            partial(ours, "--no-sync"),
                            target,
                        ),
                        Candidate(
                            f"{what}: and synced to disk", partial(ours, "--sync"), durable_target
                        ),
                    ],
                    rounds,
                )
    return findings


def _curl(url: str, files: int, home: Path) -> float:
    target = home / "curl"
    target.mkdir()
    listed = home / "curl.txt"
    listed.write_text("".join(f'url="{url}{n}"\noutput="{target}/{n}"\n' for n in range(files)))
    command = [*_CURL.split(), "-sS", "--no-progress-meter", "--config", str(listed)]
    seconds = timed(partial(subprocess.run, command, check=True))
    _remove(target, files)
    return seconds


def _ours(url: str, files: int, home: Path, sync: str) -> float:
    target = home / "ours"
    command = [sys.executable, "-m", "benchmarks.download_once", url, str(target), sync]
    taken = subprocess.run(
        [*command, "--files", str(files)], check=True, stdout=subprocess.PIPE, text=True
    )
    _remove(target, files)
    return float(taken.stdout)


def _remove(target: Path, files: int) -> None:
    found = sum(path.is_file() for path in target.rglob("*"))
    if found != files:
        raise RuntimeError(f"{found} files instead of {files}")
    put_away(target)
    os.sync()  # whoever comes next does not wait for what is left to be written


if __name__ == "__main__":
    main(measure)
