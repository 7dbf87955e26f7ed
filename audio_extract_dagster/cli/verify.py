"""`audio-extract verify`: rows against files, both ways."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import date

import click
from sqlalchemy import Engine

from audio_extract_dagster.cli.span import span_of_days
from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import engine_of, genesys_client_of, storage_of
from audio_extract_dagster.database.connection import reading
from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.database.locks import DayIsBusy, day_lock
from audio_extract_dagster.extraction.verification import (
    Difference,
    Finding,
    MetadataSource,
    repair,
    verify_day,
    verify_with_genesys,
)
from audio_extract_dagster.settings import GENESYS, POSTGRES, Settings
from audio_extract_dagster.startup import settings_with_services
from audio_extract_dagster.storage import AudioStorage


@click.command("verify")
@span_of_days
@click.option("--repair", "mend", is_flag=True, help="Mark what is lost: the next run fetches it.")
@click.option("--deep", is_flag=True, help="Ask Genesys for each call's recordings, too.")
def command(first: date, last: date, mend: bool, deep: bool) -> None:
    """Compare rows and files of a span of days, checksums recomputed; exit 1 on any difference."""
    settings = settings_with_services(require=POSTGRES + (GENESYS if deep else ()))
    days = settings.business_days.between(first, last)
    engine, storage = engine_of(settings), storage_of(settings)
    found: Counter[Difference] = Counter()
    busy = 0
    with genesys_client_of(settings, SystemClock()) if deep else nullcontext() as source:
        for day in days:
            try:
                findings = _verify(settings, engine, storage, source, day, mend=mend)
                found.update(finding.difference for finding in findings)
            except DayIsBusy as error:
                busy += 1
                click.secho(str(error), fg="yellow", err=True)
    click.echo(f"{len(days) - busy} days verified, {found.total()} differences.")
    if never_run := _never_run(engine, days):
        click.echo(f"{len(never_run)} of these days never ran: {', '.join(map(str, never_run))}.")
    for difference, count in found.most_common():
        click.echo(f"  {count:>6} {difference.words}")
    if not mend and any(difference.repairable for difference in found):
        click.echo("With --repair what is lost is marked; running its day again then fetches it.")
    sys.exit(1 if found or busy else 0)


def _never_run(engine: Engine, days: Sequence[date]) -> list[date]:
    """Nothing differs on a day of which nothing is known."""
    with reading(engine) as connection:
        ran = jobs.last_statuses(connection, days)
    return [day for day in days if day not in ran]


def _verify(
    settings: Settings,
    engine: Engine,
    storage: AudioStorage,
    source: MetadataSource | None,
    day: date,
    *,
    mend: bool,
) -> list[Finding]:
    # Nobody may write the day while it is compared: a file without its row yet is no difference.
    with day_lock(engine, settings.pg_schema, day) as lock:
        findings = list(verify_day(engine, storage, day))
        if source is not None:
            findings += verify_with_genesys(engine, source, day)
        for finding in findings:
            click.echo(f"{day}  {finding.difference.words}: {finding.place}")
        lock.check_unbroken()  # comparing takes a while
        if mend and (marked := repair(engine, storage, day, findings, SystemClock().now())):
            click.echo(f"{day}  {marked} recordings marked: run {day} again to fetch them.")
    return findings
