"""Are the queues of the settings queues of the organization?

A listing filtered by an unknown queue is empty and adds up: the day would be done without a call.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Protocol

from audio_extract_dagster.errors import Never
from audio_extract_dagster.genesys import NotPermitted

log = logging.getLogger(__name__)


class UnknownQueue(Never):
    """A queue of `GENESYS_QUEUE_ID` that Genesys Cloud does not know, or does not show us."""


class QueueSource(Protocol):
    """The one call that is made; `GenesysClient` has it."""

    def queue_name(self, queue_id: str) -> str | None: ...


def queue_name(source: QueueSource, queue_id: str) -> str:
    """The name of a queue; raises `UnknownQueue` if there is none with this id."""
    name = source.queue_name(queue_id)
    if name is None:
        raise UnknownQueue(
            f"Genesys Cloud knows no queue {queue_id}, or the client may not see it. Correct "
            "GENESYS_QUEUE_ID, or grant the client's role in the queue's division."
        )
    return name


def require_queues(source: QueueSource, queue_ids: Iterable[str]) -> None:
    """Make sure that every queue exists, one request each; raises `UnknownQueue`.

    A client without the permission to look at queues is believed.
    """
    for queue_id in queue_ids:
        try:
            queue_name(source, queue_id)
        except NotPermitted as error:
            log.warning("Whether the queues of GENESYS_QUEUE_ID exist is not known: %s", error)
            return
