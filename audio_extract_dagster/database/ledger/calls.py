"""The calls that audio is asked for, each with the records it has in `audio_records`.

Read only; rows of `audio_records` are written by `records.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Row,
    Text,
    and_,
    any_,
    exists,
    literal,
    or_,
    select,
    true,
    tuple_,
)

from audio_extract_dagster.database.tables import agent_calls, audio_records
from audio_extract_dagster.model import (
    OPEN_CALLS,
    Ask,
    CallToAsk,
    KnownRecord,
    Reason,
    RecordStatus,
    Selection,
)

OPEN = (RecordStatus.PENDING.value, RecordStatus.FAILED.value)


class Position(NamedTuple):
    """How far the planning of a day has come: the last call taken, in the order of the day."""

    conversation_start: datetime
    conversation_id: str


def next_calls(
    connection: Connection,
    call_date: date,
    limit: int,
    after: Position | None = None,
    selection: Selection = OPEN_CALLS,
) -> list[CallToAsk]:
    """The next calls of the day that the selection asks for, in the order of the day."""
    query = select(agent_calls).where(agent_calls.c.call_date == call_date, _asked_for(selection))
    order = (agent_calls.c.conversation_start, agent_calls.c.conversation_id)
    if after is not None:
        query = query.where(tuple_(*order) > tuple_(*after))
    return _with_records(connection, connection.execute(query.order_by(*order).limit(limit)))


def named_calls(connection: Connection, conversation_ids: Sequence[str]) -> list[CallToAsk]:
    """The named calls with the records they have; unknown ids are left out."""
    query = select(agent_calls).where(agent_calls.c.conversation_id.in_(conversation_ids))
    return _with_records(connection, connection.execute(query))


def calls_of_day(connection: Connection, call_date: date) -> list[CallToAsk]:
    """Every agent call of the day with the records it has."""
    query = select(agent_calls).where(agent_calls.c.call_date == call_date)
    return _with_records(connection, connection.execute(query))


def is_open(call: CallToAsk) -> bool:
    """Whether the call has no record yet, one without a final answer, or may have more by now.

    `_asked_for` says the same to the database, of calls that have not been read yet.
    """
    ended = call.ended_at is not None
    unanswered = any(record.is_open for record in call.records)
    return not call.records or unanswered or (ended and call.may_have_more)


def _asked_for(selection: Selection) -> ColumnElement[bool]:
    """The calls that a run asks for: with `OPEN_CALLS` those of which `is_open` is true."""
    record_of_call = audio_records.c.conversation_id == agent_calls.c.conversation_id
    is_new = ~exists().where(record_of_call)
    is_open = exists().where(and_(record_of_call, audio_records.c.status.in_(OPEN)))
    more = exists().where(and_(record_of_call, audio_records.c.may_have_more))
    has_ended = agent_calls.c.ended_at.is_not(None)
    conditions = {
        Ask.NEW_CALLS: is_new,
        Ask.OPEN_CALLS: or_(is_new, is_open, and_(has_ended, more)),
        Ask.ALL_CALLS: true(),
    }
    asked_for = conditions[selection.ask]
    if selection.conversation_ids:
        named = agent_calls.c.conversation_id.in_(selection.conversation_ids)
        asked_for = and_(asked_for, named)
    return asked_for


def _with_records(connection: Connection, rows: Iterable[Row[Any]]) -> list[CallToAsk]:
    found = list(rows)
    ids = [row.conversation_id for row in found]
    known: dict[str, list[KnownRecord]] = defaultdict(list)
    # One array: an IN list has a parameter for each call, and `calls_of_day` has 100,000 of them.
    of_them = audio_records.c.conversation_id == any_(literal(ids, ARRAY(Text)))
    query = select(audio_records).where(of_them)
    for record in connection.execute(query) if ids else ():
        known[record.conversation_id].append(
            KnownRecord(
                recording_id=record.recording_id,
                status=RecordStatus(record.status),
                attempts=record.attempts,
                first_requested_at=record.first_requested_at,
                may_have_more=record.may_have_more,
                expired=record.reason == Reason.RETENTION.code,
            )
        )
    return [
        CallToAsk(
            conversation_id=row.conversation_id,
            conversation_start=row.conversation_start,
            ended_at=row.ended_at,
            answered=row.answered,
            recording_sessions=row.recording_sessions,
            records=tuple(known[row.conversation_id]),
        )
        for row in found
    ]
