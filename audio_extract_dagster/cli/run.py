"""`audio-extract run`: one day through Dagster, in this process."""

from __future__ import annotations

import os
import signal
import sys
from datetime import date, datetime, timezone

import click

from audio_extract_dagster.settings import Settings, read_settings


@click.command("run")
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day to extract; without it, the latest finished business day.",
)
def command(day: datetime | None) -> None:
    """Extract one day. Running a day again does only what is not done."""
    from audio_extract_dagster.cli.instance import ready_settings
    from audio_extract_dagster.cli.outcome import loss_of_database_told

    # A day that cannot be run is refused before anything is touched.
    settings = read_settings(os.environ)
    chosen = choose_day(settings, day.date() if day else None)
    with loss_of_database_told(settings, chosen):
        ready = ready_settings()
    sys.exit(run_day(ready, chosen))


def choose_day(settings: Settings, wanted: date | None) -> date:
    """The day to run; a click usage error (exit code 2) tells why a day cannot be run."""
    days = settings.business_days
    now = datetime.now(timezone.utc)
    if wanted is None:
        latest = days.latest_finished(now)
        if latest is None:
            raise click.UsageError(f"No business day has finished since START_DATE ({days.first}).")
        return latest
    if (why := days.why_not(wanted)) is not None:
        raise click.UsageError(f"{wanted} is not extracted: {why}.")
    if not days.is_finished(wanted, now):
        raise click.UsageError(f"{wanted} is not over yet in {settings.timezone}.")
    return wanted


def run_day(settings: Settings, day: date) -> int:
    """Run the day, show how it goes and how it ended; returns the exit code."""
    from audio_extract_dagster.cli.execution import execute
    from audio_extract_dagster.cli.outcome import loss_of_database_told, show_outcome
    from audio_extract_dagster.cli.progress import progress_of

    # A polite kill ends the run as canceled, not as vanished.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with loss_of_database_told(settings, day):
        _say_if_busy(settings, day)
        with progress_of(settings, day):
            result = execute(settings, day)
    return show_outcome(settings, day, result)


def _say_if_busy(settings: Settings, day: date) -> None:
    """A run waits for another one of its day; on a terminal that would look like hanging."""
    from audio_extract_dagster.composition import engine_of
    from audio_extract_dagster.database.locks import is_held

    if is_held(engine_of(settings), settings.pg_schema, day):
        click.secho(f"Another run works on {day}; waiting for it.", fg="yellow", err=True)
