"""`audio-extract doctor`: is everything that a run needs there, and is the due day done?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial

import click

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.errors import AudioExtractError, NotYet
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.settings import Settings
from audio_extract_dagster.startup import settings_with_services

Check = tuple[str, Callable[[], str]]


@click.command("doctor")
def command() -> None:
    """Check credentials, permissions, queues, database, storage, gateway; change nothing."""
    results = [_examine(name, check) for name, check in checks(settings_with_services())]
    if not all(results):
        sys.exit(1)


def _examine(name: str, check: Callable[[], str]) -> bool:
    try:
        said = check()
    except AudioExtractError as error:
        click.echo(f"{click.style('failed', fg='red')}  {name}: {error}")
        return False
    warning = "Warning: "
    sign = click.style("warns ", fg="yellow") if said.startswith(warning) else "ok    "
    click.echo(f"{sign}  {name}: {said.removeprefix(warning)}")
    return True


def checks(settings: Settings) -> Iterator[Check]:
    """Every check by name. A check returns a line, or raises what is wrong."""
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
        return f"Warning: schema {settings.pg_schema} lacks tables; the next run makes them"
    return f"schema {settings.pg_schema} is up to date"


def _due_day(settings: Settings) -> str:
    from audio_extract_dagster.composition import engine_of
    from audio_extract_dagster.database.locks import busy_days
    from audio_extract_dagster.defs.ticks import last_tick
    from audio_extract_dagster.extraction.due import latest_day

    days, now = settings.business_days, SystemClock().now()
    statuses = _last_statuses(settings)
    busy = busy_days(engine_of(settings), settings.pg_schema, statuses)
    found = latest_day(days, now, last_tick(settings.schedule_cron, days, now), statuses, busy)
    if not found.is_well:
        raise NotYet(found.words)
    return found.words


def _earlier_days(settings: Settings) -> str:
    """The days before the due one, since the first ever run, that nobody finished."""
    from audio_extract_dagster.defs.ticks import next_tick
    from audio_extract_dagster.extraction.due import earlier_days

    days, now = settings.business_days, SystemClock().now()
    tick = next_tick(settings.schedule_cron, days, now)
    earlier = earlier_days(days, now, tick, _last_statuses(settings))
    if earlier is None:
        return "none yet"
    found = []
    if again := earlier.asked_again:
        found.append(f"not done, asked for again at the next tick: {', '.join(again)}")
    if long_ago := earlier.forgotten:
        more = f" and {len(long_ago) - 10} more" if len(long_ago) > 10 else ""
        found.append(
            f"not done, and too long ago for the schedule: {', '.join(long_ago[:10])}{more}"
        )
    if not found:
        return f"all done since {earlier.since}"
    return f"Warning: {'; '.join(found)}. Run each, or launch a backfill."


def _last_statuses(settings: Settings) -> dict[date, JobStatus]:
    from audio_extract_dagster.composition import engine_of
    from audio_extract_dagster.database.connection import reading
    from audio_extract_dagster.database.ledger import jobs
    from audio_extract_dagster.database.migrate import schema_is_current

    engine = engine_of(settings)
    if not schema_is_current(engine):
        return {}
    with reading(engine) as connection:
        return jobs.statuses_between(connection, date.min, date.max)
