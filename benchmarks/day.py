"""A whole day of 10,000 calls of 300 KB, everything on, against the sum of its parts.

Ours is the command, `audio-extract run`, in a process of its own: Dagster, PostgreSQL, files synced
to disk. The parts are curl for the same files from the same simulator, psql for the same rows, and
a Dagster run of the same steps with nothing in them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from sqlalchemy import text

from audio_extract_dagster.cli.instance import ready_settings
from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import genesys_client_of
from audio_extract_dagster.startup import settings_with_services
from audio_extract_dagster_tests.postgres import Database
from benchmarks.measure import Candidate, Finding, compare, main, timed
from benchmarks.org import DAY
from benchmarks.surroundings import database, enter, folder, helper, psql, put_away, variables

_CALLS = 10_000
_BYTES = 300_000
_TABLES = ("conversations", "agent_calls", "audio_records")


def measure(rounds: int) -> list[Finding]:
    options = ["--calls", str(_CALLS), "--set", f"audio_bytes={_BYTES}"]
    with folder() as home, database() as made, helper("org", *options) as url:
        enter({**variables(made, url, home), "LOG_LEVEL": "ERROR"})
        ready_settings()
        _run_day(made, home)  # also warms the simulator
        for table in _TABLES:
            psql(made, f"\\copy {table} to '{home / table}'")
        links = home / "curl.txt"
        _write_links(links, home / "curl")
        return compare(
            "curl + psql \\copy + an empty Dagster run",
            partial(_parts, made, home, links),
            [Candidate("a day of 10,000 calls of 0.3 MB", partial(_run_day, made, home), 1.8)],
            rounds,
        )


def _run_day(made: Database, home: Path) -> float:
    _forget(made, home)
    command = [sys.executable, "-c", "from audio_extract_dagster.cli import main; main()"]
    run = [*command, "run", "--date", DAY.isoformat()]
    seconds = timed(partial(subprocess.run, run, check=True, stdout=subprocess.DEVNULL))
    with made.engine.connect() as connection:
        stored = connection.scalar(text("SELECT stored FROM daily_report"))
    if stored != _CALLS:
        raise RuntimeError(f"{stored} recordings instead of {_CALLS}")
    return seconds


def _parts(made: Database, home: Path, links: Path) -> float:
    _forget(made, home)
    target = home / "curl"
    target.mkdir()
    curl = ["curl", "-sS", "--no-progress-meter", "--parallel", "--parallel-max", "32"]
    seconds = timed(partial(subprocess.run, [*curl, "--config", str(links)], check=True))
    put_away(target)
    for table in _TABLES:
        seconds += timed(partial(psql, made, f"\\copy {table} from '{home / table}'"))
    empty = [sys.executable, "-m", "benchmarks.empty_project"]
    return seconds + timed(partial(subprocess.run, empty, check=True, stderr=subprocess.DEVNULL))


def _forget(made: Database, home: Path) -> None:
    """As if the day had never been extracted."""
    put_away(home / "audio")
    with made.engine.begin() as connection:
        tables = ("audio_batches", "daily_report", "day_counts", "extraction_jobs", "notifications")
        connection.execute(text(f"TRUNCATE {', '.join([*_TABLES, *tables])}"))
    os.sync()


def _write_links(file: Path, target: Path) -> None:
    """Links to all recordings of the day, as curl reads them."""
    ids = [f"{serial:08x}-0000-4000-8000-000000000000" for serial in range(_CALLS)]
    with (
        genesys_client_of(settings_with_services(), SystemClock()) as client,
        file.open("w") as links,
    ):
        for at in range(0, _CALLS, 100):
            job = client.submit_batch(ids[at : at + 100])
            for result in client.batch_status(job).results:
                links.write(f'url="{result.url}"\noutput="{target / result.conversation_id}"\n')


if __name__ == "__main__":
    main(measure)
