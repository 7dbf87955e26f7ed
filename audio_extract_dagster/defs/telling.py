"""How the end of a run is told: through the outbox, or at once where there is no database.

What a message says is in `notify/`; the sensors that tell are in `sensors/run_outcomes.py`.
"""

from collections.abc import Mapping

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import gateway_of, letterhead_of
from audio_extract_dagster.extraction.job_end import Announce
from audio_extract_dagster.model import Job
from audio_extract_dagster.notify.announce import Announcer
from audio_extract_dagster.notify.message import compose
from audio_extract_dagster.settings import Settings


def announcer(settings: Settings, run_tags: Mapping[str, str]) -> Announce:
    """What puts the message about a finished run into the outbox.

    The days of a backfill are told together when it has ended, not one by one.
    """
    if "dagster/backfill" in run_tags:
        return lambda _connection, _job: None
    return Announcer(SystemClock(), letterhead_of(settings))


def tell_directly(settings: Settings, job: Job) -> None:
    """Send the message about a failed run at once: without a database there is no outbox."""
    gateway_of(settings).send(compose(job, letterhead_of(settings), counts_known=False))
