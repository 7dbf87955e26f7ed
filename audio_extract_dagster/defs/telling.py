"""How the end of a run is told: through the outbox, or at once where there is no database.

What a message says is in `notify/`; the sensors that tell are in `sensors/run_outcomes.py`.
"""

from collections.abc import Mapping
from datetime import date

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import engine_of, gateway_of, letterhead_of
from audio_extract_dagster.database.connection import DatabaseRefused, DatabaseUnavailable
from audio_extract_dagster.extraction.after_run import after_run
from audio_extract_dagster.extraction.job_end import Announce
from audio_extract_dagster.model import Job, JobStatus
from audio_extract_dagster.notify.announce import Announcer
from audio_extract_dagster.notify.message import compose
from audio_extract_dagster.settings import Settings, SettingsError

# Then there is no outbox, and a message goes out at once.
WITHOUT_DATABASE = (DatabaseUnavailable, DatabaseRefused, SettingsError)


def is_of_backfill(run_tags: Mapping[str, str]) -> bool:
    """Whether the run is told with the others of its backfill."""
    return "dagster/backfill" in run_tags


def announcer(settings: Settings, run_tags: Mapping[str, str]) -> Announce:
    """What puts the message about a finished run into the outbox.

    The days of a backfill are told together when it has ended, not one by one.
    """
    if is_of_backfill(run_tags):
        return lambda _connection, _job: None
    return Announcer(SystemClock(), letterhead_of(settings))


def tell_end_of_run(
    settings: Settings,
    run_id: str,
    day: date,
    failure: str | None,
    *,
    status: JobStatus = JobStatus.FAILED,
    run_tags: Mapping[str, str] | None = None,
) -> bool:
    """Close the job of a run that is over, and put its message into the outbox if it has not.

    False where there is no database, and so no outbox: a failure has then to be told directly. A
    success raises, because the run itself has put its message into the outbox.
    """
    try:
        after_run(
            engine_of(settings),
            settings.pg_schema,
            run_id,
            day,
            failure=failure,
            announce=announcer(settings, run_tags or {}),
            clock=SystemClock(),
            status=status,
        )
    except WITHOUT_DATABASE:
        if failure is None:
            raise
        return False
    return True


def tell_directly(
    settings: Settings,
    run_id: str | None,
    day: date,
    failure: str,
    *,
    status: JobStatus = JobStatus.FAILED,
) -> None:
    """Send the message about a run at once: without a database there is no outbox."""
    job = Job.of_failed_run(run_id or "", day, failure, SystemClock().now(), status=status)
    gateway_of(settings).send(compose(job, letterhead_of(settings), counts_known=False))
