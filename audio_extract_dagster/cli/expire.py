"""`audio-extract expire`: delete what is older than `RETENTION_DAYS`."""

from __future__ import annotations

import sys

import click

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import engine_of, storage_of
from audio_extract_dagster.extraction.retention import ExpiredDay, expire, first_day_kept
from audio_extract_dagster.settings import POSTGRES
from audio_extract_dagster.startup import running_settings


@click.command("expire")
def command() -> None:
    """Delete audio, payloads and phone numbers of days older than RETENTION_DAYS; keep the rows."""
    settings = running_settings(require=POSTGRES)
    if settings.retention_days is None:
        raise click.UsageError("RETENTION_DAYS is not set: everything is kept.")
    clock = SystemClock()
    before = first_day_kept(settings.business_days, clock.now(), settings.retention_days)
    left = 0
    for done in expire(
        engine_of(settings), settings.pg_schema, storage_of(settings), before, clock
    ):
        click.echo(_line(done))
        left += done.elsewhere + done.busy
    click.echo(f"Nothing older than {before} is left." if not left else "Not everything has gone.")
    sys.exit(1 if left else 0)


def _line(done: ExpiredDay) -> str:
    if done.busy:
        return f"{done.day}  left to the next pass: a run works on it"
    deleted = f"{done.files} files, {done.bytes / 2**20:,.1f} MiB, {done.payloads} payloads deleted"
    if done.elsewhere:
        deleted += f"; {done.elsewhere} files are in another storage: delete them there"
    return f"{done.day}  {deleted}"
