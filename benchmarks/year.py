"""A backfill of a year of small days: each done once, no Sunday, the last as quick as the first.

One run of the job for each day, in this process, against the simulator; Dagster's own memory of
runs is kept in memory, as it is not what is looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, timedelta
from statistics import median
from time import perf_counter

import click
from dagster import AssetKey, DagsterInstance, JobDefinition
from sqlalchemy import select

from audio_extract_dagster.composition import engine_of
from audio_extract_dagster.database.tables import daily_report, extraction_jobs
from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.jobs import JOB_NAME
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.settings import Settings
from audio_extract_dagster.simulator import Simulator, Switches, World
from audio_extract_dagster.startup import settings_with_services
from benchmarks.measure import say, surroundings
from benchmarks.surroundings import database, enter, folder, variables

_ASSETS = ("conversations", "agent_calls", "audio_batches", "audio_records", "daily_report")
_FIRST = date(2025, 1, 1)
_COMPARED = 20
_SUNDAY = 6
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@click.command(help=__doc__)
@click.option("--days", type=click.IntRange(1, 600), default=313, show_default=True)
@click.option("--calls", type=click.IntRange(1), default=6, show_default=True)
def main(days: int, calls: int) -> None:
    logging.disable(logging.WARNING)
    world, switches = World(seed=1, calls_per_day=calls), Switches(batch_seconds=0.0)
    with folder() as home, database() as made, Simulator(world, switches=switches) as simulator:
        enter({**variables(made, simulator.url, home), "START_DATE": str(_FIRST)})
        settings = settings_with_services()
        calendar = settings.business_days
        year = calendar.between(_FIRST, _FIRST + timedelta(days=2 * days))[:days]
        with DagsterInstance.ephemeral() as instance:
            job = definitions().resolve_job_def(JOB_NAME)
            seconds = [_run(job, instance, day) for day in year]
            wrong = _wrong(instance, settings, year)
    click.echo(
        f"{len(year)} days from {year[0]} to {year[-1]}, {calls} calls each: "
        f"{sum(seconds) / 60:.1f} min; a day took {median(seconds[:_COMPARED]):.2f} s at first, "
        f"{median(seconds[-_COMPARED:]):.2f} s at last (medians of {_COMPARED})."
    )
    click.echo("\n".join(wrong) or "Every day is done, once, and no Sunday among them.")
    click.echo(surroundings())
    raise SystemExit(1 if wrong else 0)


def _run(job: JobDefinition, instance: DagsterInstance, day: date) -> float:
    began = perf_counter()
    job.execute_in_process(instance=instance, partition_key=day.isoformat(), run_config=_QUIET)
    taken = perf_counter() - began
    if day.day == 1:
        say(f"{day}: {taken:.2f} s")
    return taken


def _wrong(instance: DagsterInstance, settings: Settings, year: Sequence[date]) -> list[str]:
    """What Dagster's partitions, the jobs and the reports say that is not as it should be."""
    wrong = []
    for asset in _ASSETS:
        done = instance.get_materialized_partitions(AssetKey(asset))
        if done != {day.isoformat() for day in year}:
            wrong.append(f"{asset}: {len(done)} partitions are materialised, not {len(year)}")
    with engine_of(settings).connect() as connection:
        jobs = connection.execute(select(extraction_jobs.c.call_date, extraction_jobs.c.status))
        ended = [day for day, status in jobs if JobStatus(status).is_done]
        reported = connection.scalars(select(daily_report.c.call_date)).all()
    if sorted(ended) != list(year):
        wrong.append(f"{len(ended)} jobs are done, not one for each of {len(year)} days")
    if sorted(reported) != list(year):
        wrong.append(f"{len(reported)} days have a report, not {len(year)}")
    if sundays := [day for day in reported if day.weekday() == _SUNDAY]:
        wrong.append(f"{len(sundays)} Sundays were extracted")
    return wrong


if __name__ == "__main__":
    main()
