"""The table `notifications`: messages are kept here until a gateway took them.

A message is written in the transaction of what it tells, so that neither exists without the other,
and is sent by one process at a time however many flush. It goes out again only where nobody can
know that it went out: the process died between the gateway's answer and our commit, the connection
broke before the answer, or the answer came too late.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto

from sqlalchemy import Connection, Engine, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.connection import reading, writing
from audio_extract_dagster.database.storable import clean_text
from audio_extract_dagster.database.tables import notifications
from audio_extract_dagster.notify.gateway import (
    Gateway,
    GatewayRefused,
    GatewaySilent,
    GatewayUnavailable,
)
from audio_extract_dagster.notify.message import Message
from audio_extract_dagster.redaction import redact

_log = logging.getLogger(__name__)

# A message is due again so long after its first failure; doubled with each, up to the longest.
_RESTS = (timedelta(minutes=1), timedelta(hours=1))
# Likewise where it may have been delivered: nobody wants the same mail each minute.
_RESTS_IN_DOUBT = (timedelta(hours=1), timedelta(days=1))
# Between two tries of one flush, doubled with each.
_PAUSE_SECONDS = 1.0
_AT_ONCE = 100


@dataclass(frozen=True)
class FlushResult:
    """Messages: sent now, tried now in vain, and still unsent in the table (due or not)."""

    sent: int
    failed: int
    waiting: int


class Kind(str, Enum):
    """What a message tells of."""

    DAY = "day"
    DIGEST = "digest"
    NOT_RUN = "not_run"
    RETENTION = "retention"


class _Try(Enum):
    SENT = auto()
    REFUSED = auto()
    UNAVAILABLE = auto()
    SILENT = auto()
    TAKEN = auto()


_FAULTS = {
    GatewayRefused: _Try.REFUSED,
    GatewayUnavailable: _Try.UNAVAILABLE,
    GatewaySilent: _Try.SILENT,
}
_Key = tuple[str, str]


def enqueue(
    connection: Connection,
    kind: Kind,
    message: Message,
    *,
    about: str,
    outcome: str,
    call_date: date | None = None,
    now: datetime,
) -> bool:
    """Keep a message for sending, once for each run (or what else it is about) and outcome.

    False if it was there already. A message about no single day has no `call_date`.
    """
    row = {
        "run_id": about,
        "status": outcome,
        "kind": kind.value,
        "call_date": call_date,
        "subject": clean_text(message.subject),
        "title": clean_text(message.title),
        "html": clean_text(message.html),
        "created_at": now,
        "next_try_at": now,
    }
    statement = insert(notifications).values(row).on_conflict_do_nothing()
    return connection.execute(statement).rowcount == 1


def send_before_exit(engine: Engine, gateway: Gateway, clock: Clock) -> FlushResult:
    """What a process that is about to end does: up to 5 tries, none begun after 20 s."""
    return flush(engine, gateway, clock, max_tries_each=5)


def flush(
    engine: Engine,
    gateway: Gateway,
    clock: Clock,
    *,
    max_tries_each: int = 1,
    deadline_seconds: float = 20.0,
) -> FlushResult:
    """Send what is due, oldest first; never raises because of the gateway.

    A gateway that is away is asked once for each try, not once for each message. It may be away
    for one message only, so what has failed stands behind what has not, in each try and in the next
    flush: one that the gateway cannot take never holds up the others.

    What fails stays and is due again after 1 minute, then 2, 4 … up to an hour; what may have been
    delivered after 1 hour, then 2, 4 … up to a day. Within one flush a message is tried up to
    `max_tries_each` times, but once only if it was refused or may have been delivered.
    """
    last_start = clock.monotonic() + deadline_seconds
    keys = deque(_due(engine, clock.now()))
    sent, failed = set[_Key](), set[_Key]()
    for tries in range(max_tries_each):
        pause = _PAUSE_SECONDS * 2 ** (tries - 1) if tries else 0.0
        if not keys or clock.monotonic() + pause >= last_start:
            break
        clock.sleep(pause)
        while keys and clock.monotonic() < last_start:
            key = keys.popleft()
            outcome = _try(engine, gateway, clock, key)
            if outcome is _Try.SENT:
                sent.add(key)
            elif outcome is not _Try.TAKEN:
                failed.add(key)
            if outcome is _Try.UNAVAILABLE:
                keys.append(key)
            if outcome in (_Try.UNAVAILABLE, _Try.SILENT):
                break  # for all of them
    return FlushResult(len(sent), len(failed - sent), _waiting(engine))


def _try(engine: Engine, gateway: Gateway, clock: Clock, key: _Key) -> _Try:
    """Send one message and note how that went, in one transaction that keeps others off it."""
    this = and_(notifications.c.run_id == key[0], notifications.c.status == key[1])
    unsent = select(notifications).where(this, notifications.c.sent_at.is_(None))
    with writing(engine) as connection:
        row = connection.execute(unsent.with_for_update(skip_locked=True)).first()
        if row is None:
            return _Try.TAKEN
        attempts = row.attempts + 1
        try:
            gateway.send(Message(row.title, row.subject, row.html))
        except tuple(_FAULTS) as error:
            _log.warning(
                "The message about %s stays in the outbox: %s", row.call_date or key[0], error
            )
            outcome = _FAULTS[type(error)]
            waiting = {
                "attempts": attempts,
                "last_error": redact(str(error)),
                "next_try_at": clock.now() + _rest(attempts, outcome),
            }
            connection.execute(update(notifications).where(this).values(waiting))
            return outcome
        delivered = {"attempts": attempts, "last_error": None, "sent_at": clock.now()}
        connection.execute(update(notifications).where(this).values(delivered))
        return _Try.SENT


def _rest(attempts: int, outcome: _Try) -> timedelta:
    first, longest = _RESTS_IN_DOUBT if outcome is _Try.SILENT else _RESTS
    # The exponent is bounded: a message may have failed a thousand times.
    return min(longest, first * 2.0 ** min(attempts - 1, 6))


def _due(engine: Engine, now: datetime) -> list[_Key]:
    statement = (
        select(notifications.c.run_id, notifications.c.status)
        .where(notifications.c.sent_at.is_(None), notifications.c.next_try_at <= now)
        .order_by(
            notifications.c.attempts,
            notifications.c.created_at,
            notifications.c.run_id,
            notifications.c.status,
        )
        .limit(_AT_ONCE)
    )
    with reading(engine) as connection:
        return [(row.run_id, row.status) for row in connection.execute(statement)]


def _waiting(engine: Engine) -> int:
    statement = select(func.count()).where(notifications.c.sent_at.is_(None))
    with reading(engine) as connection:
        return connection.execute(statement).scalar_one()
