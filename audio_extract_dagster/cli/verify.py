"""`audio-extract verify`: rows against files, both ways."""

from __future__ import annotations

import sys
from datetime import date, datetime

import click
from sqlalchemy import Engine

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import engine_of, genesys_client_of, storage_of
from audio_extract_dagster.database.locks import day_lock
from audio_extract_dagster.embedded.environment import running_settings
from audio_extract_dagster.extraction.verification import (
    Finding,
    MetadataSource,
    repair,
    verify_day,
    verify_with_genesys,
)
from audio_extract_dagster.settings import Settings

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("verify")
@click.option("--from", "first", type=_DAY, required=True, help="The first day.")
@click.option("--to", "last", type=_DAY, required=True, help="The last day, included.")
@click.option("--repair", "mend", is_flag=True, help="Mark what is lost: the next run fetches it.")
@click.option("--deep", is_flag=True, help="Ask Genesys for each call's recordings, too.")
def command(first: datetime, last: datetime, mend: bool, deep: bool) -> None:
    """Compare rows and files of a span of days, checksums recomputed; exit 1 on any difference."""
    settings = running_settings()
    if last < first:
        raise click.UsageError("--to is before --from.")
    days = settings.business_days.between(first.date(), last.date())
    engine = engine_of(settings)
    total = 0
    with genesys_client_of(settings, SystemClock()) as client:
        for day in days:
            findings = _verify(settings, engine, client if deep else None, day, mend=mend)
            total += len(findings)
    click.echo(f"{len(days)} days verified, {total} differences.")
    sys.exit(1 if total else 0)


def _verify(
    settings: Settings, engine: Engine, source: MetadataSource | None, day: date, *, mend: bool
) -> list[Finding]:
    storage = storage_of(settings)
    # Nobody may write the day while it is compared: a file without its row yet is no difference.
    with day_lock(engine, settings.pg_schema, day):
        findings = list(verify_day(engine, storage, day))
        if source is not None:
            findings += verify_with_genesys(engine, source, day)
        for finding in findings:
            click.echo(f"{day}  {finding.difference.words}: {finding.place}")
        if mend and (marked := repair(engine, day, findings, SystemClock().now())):
            click.echo(f"{day}  {marked} recordings marked: run {day} again to fetch them.")
    return findings
