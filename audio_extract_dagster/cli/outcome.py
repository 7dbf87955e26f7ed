"""How a run ended, on a terminal: the closed counts, the reasons, the cause, the messages sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import click

from audio_extract_dagster.cli.execution import Execution
from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import engine_of, gateway_of
from audio_extract_dagster.database.connection import (
    DatabaseRefused,
    DatabaseUnavailable,
    reading,
)
from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.defs.telling import tell_directly, tell_end_of_run
from audio_extract_dagster.errors import AudioExtractError
from audio_extract_dagster.model import DayCounts, Job, JobStatus
from audio_extract_dagster.notify import outbox
from audio_extract_dagster.settings import Settings


def show_outcome(settings: Settings, day: date, execution: Execution) -> int:
    """Print the outcome, send what is due; 0 for a day that is done, else 1.

    Runs in this process do not reach the sensors, so what these do is done here.
    """
    run_id, failure = execution.run_id, execution.failure
    kept = tell_end_of_run(settings, run_id, day, failure, status=execution.status)
    if not kept and failure is not None:
        code = _show(day, None, execution)
        with _only_warned():
            tell_directly(settings, run_id, day, failure, status=execution.status)
        return code
    engine = engine_of(settings)
    with reading(engine) as connection:
        job = jobs.job(connection, run_id)
    code = _show(day, job, execution)
    with _only_warned():
        outbox.send_before_exit(engine, gateway_of(settings), SystemClock())
    return code


@contextmanager
def loss_of_database_told(settings: Settings, day: date) -> Iterator[None]:
    """Send a message at once if the block cannot use the database: then there is no outbox."""
    try:
        yield
    except (DatabaseUnavailable, DatabaseRefused) as error:
        with _only_warned():
            tell_directly(settings, None, day, str(error))
        raise


@contextmanager
def _only_warned() -> Iterator[None]:
    """A message that does not go out changes nothing of the day."""
    try:
        yield
    except AudioExtractError as error:
        click.secho(f"The message was not sent: {error}", fg="yellow", err=True)


def _show(day: date, job: Job | None, execution: Execution) -> int:
    if job is None:
        click.secho(f"{day} {execution.status.value}: {execution.failure}", fg="red", err=True)
        return 1
    click.echo(counts_in_words(day, job.status, job.counts))
    click.echo(f"{job.usage.requests} API requests, {job.usage.wait_seconds:.0f} s of waiting")
    for finding in execution.findings:
        click.secho(f"Check {finding}", fg="yellow")
    cause = job.error or execution.failure
    if cause is not None:
        click.secho(f"Cause: {cause}", fg="red", err=True)
    return 0 if job.status.is_done and execution.failure is None else 1


def counts_in_words(day: date, status: JobStatus, counts: DayCounts) -> str:
    """The closed counts as a few lines."""
    records = counts.stored + counts.pending + counts.missing + counts.failed
    lines = [
        f"{day} {status.value}",
        f"  {counts.conversations} conversations = {counts.agent_calls} agent calls"
        f" + {counts.excluded} excluded",
        f"  {records} recordings = {counts.stored} stored + {counts.pending} pending"
        f" + {counts.missing} missing + {counts.failed} failed",
        f"  {counts.bytes / 2**20:.1f} MiB, {counts.audio_minutes:.1f} minutes of audio",
    ]
    lines += [f"    {count:>6} {reason}" for reason, count in counts.reasons_by_count()]
    return "\n".join(lines)
