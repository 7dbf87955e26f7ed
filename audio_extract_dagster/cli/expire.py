"""`audio-extract expire`: delete what is older than `RETENTION_DAYS`."""

from __future__ import annotations

import click

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import expire_of
from audio_extract_dagster.extraction.retention import ExpiredDay
from audio_extract_dagster.startup import postgres_settings


@click.command("expire")
def command() -> None:
    """Delete audio, payloads and phone numbers of days older than RETENTION_DAYS; keep the rows.

    The job expire_old_days of the schedule retention does the same each night.
    """
    settings = postgres_settings()
    if settings.retention_days is None:
        raise click.UsageError("RETENTION_DAYS is not set: everything is kept.")
    before, days = expire_of(settings, settings.retention_days, SystemClock())
    for done in days:
        click.echo(_line(done))
    click.echo(f"Nothing older than {before} is left.")


def _line(done: ExpiredDay) -> str:
    if done.busy:
        return f"{done.day}  left to the next pass: a run works on it"
    deleted = f"{done.files} files, {done.bytes / 2**20:,.1f} MiB, {done.payloads} payloads deleted"
    if done.elsewhere:
        deleted += f"; {done.elsewhere} files are in another storage"
    return f"{done.day}  {deleted}"
