"""The table `notifications`: messages are kept here until a gateway took them.

A message is written in the transaction of what it tells, so that neither exists without the other,
and is sent by one process at a time however many flush. It goes out twice only if the process dies
between the gateway's answer and our commit.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto

from sqlalchemy import Connection, Engine, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.storable import clean_text
from audio_extract_dagster.database.tables import notifications
from audio_extract_dagster.notify.gateway import Gateway, GatewayRefused, GatewayUnavailable
from audio_extract_dagster.notify.message import Message
from audio_extract_dagster.redaction import redact

_log = logging.getLogger(__name__)

# A message is due again so long after its first failure; doubled with each, up to the longest.
_FIRST_REST = timedelta(minutes=1)
_LONGEST_REST = timedelta(hours=1)
# Between two tries of one flush, doubled with each.
_PAUSE_SECONDS = 1.0
_AT_ONCE = 100


@dataclass(frozen=True)
class FlushResult:
    """Messages: sent now, tried now in vain, and still unsent in the table (due or not)."""

    sent: int
    failed: int
    waiting: int


class _Try(Enum):
    SENT = auto()
    REFUSED = auto()
    UNAVAILABLE = auto()
    TAKEN = auto()


_Key = tuple[str, str]


def enqueue(
    connection: Connection,
    run_id: str,
    status: str,
    kind: str,
    call_date: date | None,
    message: Message,
    now: datetime,
) -> bool:
    """Keep a message for sending, once for each run and status; False if it was there already."""
    row = {
        "run_id": run_id,
        "status": status,
        "kind": kind,
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
    return flush(engine, gateway, clock, max_tries_each=5, deadline_seconds=20.0)


def flush(
    engine: Engine,
    gateway: Gateway,
    clock: Clock,
    *,
    max_tries_each: int = 1,
    deadline_seconds: float = 60.0,
) -> FlushResult:
    """Send what is due, oldest first; never raises because of the gateway.

    What fails stays and is due again after 1 minute, then 2, 4 … up to an hour. Within one flush a
    message is tried up to `max_tries_each` times; a refusal is final for this flush.
    """
    last_start = clock.monotonic() + deadline_seconds
    keys = _due(engine, clock.now())
    sent, failed = set[_Key](), set[_Key]()
    for tries in range(max_tries_each):
        pause = _PAUSE_SECONDS * 2 ** (tries - 1) if tries else 0.0
        if not keys or clock.monotonic() + pause >= last_start:
            break
        clock.sleep(pause)
        while keys and clock.monotonic() < last_start:
            outcome = _try(engine, gateway, clock, keys[0])
            if outcome in (_Try.REFUSED, _Try.UNAVAILABLE):
                failed.add(keys[0])
            if outcome is _Try.UNAVAILABLE:
                break  # for all of them
            if outcome is _Try.SENT:
                sent.add(keys[0])
            keys = keys[1:]
    return FlushResult(len(sent), len(failed - sent), _waiting(engine))


def _try(engine: Engine, gateway: Gateway, clock: Clock, key: _Key) -> _Try:
    """Send one message and note how that went, in one transaction that keeps others off it."""
    this = and_(notifications.c.run_id == key[0], notifications.c.status == key[1])
    unsent = select(notifications).where(this, notifications.c.sent_at.is_(None))
    with engine.begin() as connection:
        row = connection.execute(unsent.with_for_update(skip_locked=True)).first()
        if row is None:
            return _Try.TAKEN
        attempts = row.attempts + 1
        try:
            gateway.send(Message(row.title, row.subject, row.html))
        except (GatewayRefused, GatewayUnavailable) as error:
            _log.warning("The message about %s was not sent: %s", row.call_date or key[0], error)
            outcome = {
                "attempts": attempts,
                "last_error": redact(str(error)),
                "next_try_at": clock.now() + _rest(attempts),
            }
            connection.execute(update(notifications).where(this).values(outcome))
            return _Try.REFUSED if isinstance(error, GatewayRefused) else _Try.UNAVAILABLE
        delivered = {"attempts": attempts, "last_error": None, "sent_at": clock.now()}
        connection.execute(update(notifications).where(this).values(delivered))
        return _Try.SENT


def _rest(attempts: int) -> timedelta:
    # The exponent is bounded: a message may have failed a thousand times.
    return min(_LONGEST_REST, _FIRST_REST * 2.0 ** min(attempts - 1, 6))


def _due(engine: Engine, now: datetime) -> list[_Key]:
    statement = (
        select(notifications.c.run_id, notifications.c.status)
        .where(notifications.c.sent_at.is_(None), notifications.c.next_try_at <= now)
        .order_by(notifications.c.created_at, notifications.c.run_id, notifications.c.status)
        .limit(_AT_ONCE)
    )
    with engine.connect() as connection:
        return [(row.run_id, row.status) for row in connection.execute(statement)]


def _waiting(engine: Engine) -> int:
    statement = select(func.count()).where(notifications.c.sent_at.is_(None))
    with engine.connect() as connection:
        return connection.execute(statement).scalar_one()
