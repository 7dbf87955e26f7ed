"""`audio-extract doctor`: is everything that a run needs there, and is the due day done?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from functools import partial

import click

from audio_extract_dagster.errors import AudioExtractError, NotYet
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.settings import Settings
from audio_extract_dagster.startup import running_settings

Check = tuple[str, Callable[[], str]]


@click.command("doctor")
def command() -> None:
    """Check credentials, permissions, queues, database, storage, gateway; change nothing."""
    results = [_examine(name, check) for name, check in checks(running_settings())]
    if not all(results):
        sys.exit(1)


def _examine(name: str, check: Callable[[], str]) -> bool:
    try:
        said = check()
    except AudioExtractError as error:
        click.echo(f"{click.style('failed', fg='red')}  {name}: {error}")
        return False
    sign = click.style("warns ", fg="yellow") if said.startswith("Warning") else "ok    "
    click.echo(f"{sign}  {name}: {said}")
    return True


def checks(settings: Settings) -> Iterator[Check]:
    """Every check by name. A check returns a line, or raises what is wrong."""
    from audio_extract_dagster.clock import SystemClock
    from audio_extract_dagster.composition import gateway_of, genesys_client_of, storage_of
    from audio_extract_dagster.extraction.queues import queue_name
    from audio_extract_dagster.genesys import IMPATIENT_POLICY, LocalBudget

    # A budget of its own: the shared one is in the database, which may be what is wrong.
    budget = LocalBudget(settings.genesys_requests_per_minute, SystemClock())
    with genesys_client_of(settings, SystemClock(), budget, IMPATIENT_POLICY) as client:
        yield "Genesys Cloud login", lambda: f"organization {client.organization_name()}"
        yield (
            "permission to list conversations",
            lambda: _granted(client.check_analytics_permission),
        )
        yield "permission for recordings", lambda: _granted(client.check_recording_permission)
        for queue_id in settings.queue_ids:
            yield f"queue {queue_id}", partial(queue_name, client, queue_id)
    yield "PostgreSQL", lambda: _database(settings)
    yield "audio storage", lambda: storage_of(settings).check()
    yield "notification gateway", lambda: gateway_of(settings).check()
    yield "the day that is due", lambda: _due_day(settings)
    yield "earlier days", lambda: _earlier_days(settings)


def _granted(probe: Callable[[], None]) -> str:
    probe()
    return "granted"


def _database(settings: Settings) -> str:
    from audio_extract_dagster.composition import engine_of
    from audio_extract_dagster.database.migrate import schema_is_current

    if not schema_is_current(engine_of(settings)):
        return f"Warning: schema {settings.pg_schema} is behind; the next run upgrades it"
    return f"schema {settings.pg_schema} is up to date"


def _due_day(settings: Settings) -> str:
    due = settings.business_days.latest_finished(datetime.now(timezone.utc))
    if due is None:
        return "none yet"
    status = _last_statuses(settings, due, due).get(due)
    if status is None or not status.is_done:
        said = "never ran" if status is None else f"is {status.value}"
        raise NotYet(f"{due} {said}. Run `audio-extract run --date {due}`.")
    return f"{due} {status.value}"


def _earlier_days(settings: Settings) -> str:
    """The days that the schedule no longer looks back at: somebody has to ask for them."""
    from audio_extract_dagster.extraction.due import days_left_behind, look_back

    considered = look_back(settings.business_days, datetime.now(timezone.utc))
    if not considered:
        return "none yet"
    last = considered[0] - timedelta(days=1)
    statuses = _last_statuses(settings, date.min, last)
    if not statuses:
        return "none yet"
    behind = days_left_behind(settings.business_days, min(statuses), last, statuses)
    if not behind:
        return f"all done since {min(statuses)}"
    more = f" and {len(behind) - 10} more" if len(behind) > 10 else ""
    return (
        f"Warning: not done, and too long ago for the schedule: {', '.join(behind[:10])}{more}. "
        "Run each, or launch a backfill."
    )


def _last_statuses(settings: Settings, first: date, last: date) -> dict[date, JobStatus]:
    from audio_extract_dagster.composition import engine_of
    from audio_extract_dagster.database.connection import database_errors
    from audio_extract_dagster.database.ledger import jobs
    from audio_extract_dagster.database.migrate import schema_is_current

    engine = engine_of(settings)
    if not schema_is_current(engine):
        return {}
    with database_errors(engine), engine.connect() as connection:
        return jobs.statuses_between(connection, first, last)
