"""What days wait for: recordings that are open, and calls that may get more.

Read only. When a day is run again for it is decided in `extraction/late_audio.py`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Text, and_, cast, func, select

from audio_extract_dagster.database.ledger.calls import OPEN
from audio_extract_dagster.database.ledger.expiry import FORGOTTEN_PAYLOAD
from audio_extract_dagster.database.tables import agent_calls, audio_records, conversations
from audio_extract_dagster.model import CallsToLookAt, OpenRecords, Reason, RecordStatus


def open_records(connection: Connection) -> list[OpenRecords]:
    """What is `PENDING` or `FAILED`, by day, status and what it waits for."""
    asked = func.coalesce(audio_records.c.first_requested_at, audio_records.c.updated_at)
    call_is_open = agent_calls.c.ended_at.is_(None).label("call_is_open")
    says_so = audio_records.c.reason == Reason.CALL_OPEN.code
    waits_for_the_end = and_(call_is_open, says_so).label("waits_for_the_end")
    alike = (audio_records.c.call_date, audio_records.c.status, call_is_open, waits_for_the_end)
    query = (
        select(
            *alike,
            func.count().label("records"),
            func.max(audio_records.c.attempts).label("attempts"),
            func.max(asked).label("newest_since"),
            func.max(audio_records.c.updated_at).label("last_asked_at"),
        )
        .join(agent_calls, agent_calls.c.conversation_id == audio_records.c.conversation_id)
        .where(audio_records.c.status.in_(OPEN))
        .group_by(*alike)
    )
    return [
        OpenRecords(
            call_date=row.call_date,
            status=RecordStatus(row.status),
            call_is_open=row.call_is_open,
            waits_for_the_end=row.waits_for_the_end,
            count=row.records,
            attempts=row.attempts,
            newest_since=row.newest_since,
            last_asked_at=row.last_asked_at,
        )
        for row in connection.execute(query)
    ]


def calls_to_look_at(connection: Connection) -> list[CallsToLookAt]:
    """The calls that may get more recordings, by day and whether they have ended by now.

    Pending records are left out: calls are asked for again because of them.
    """
    have_ended = agent_calls.c.ended_at.is_not(None).label("have_ended")
    query = (
        select(
            audio_records.c.call_date,
            have_ended,
            func.count(audio_records.c.conversation_id.distinct()).label("calls"),
            func.max(agent_calls.c.conversation_start).label("newest_start"),
            func.max(audio_records.c.updated_at).label("last_asked_at"),
        )
        .join(agent_calls, agent_calls.c.conversation_id == audio_records.c.conversation_id)
        .where(
            audio_records.c.may_have_more,
            audio_records.c.status != RecordStatus.PENDING.value,
        )
        .group_by(audio_records.c.call_date, have_ended)
    )
    return [
        CallsToLookAt(
            call_date=row.call_date,
            have_ended=row.have_ended,
            have_agent=True,
            count=row.calls,
            newest_start=row.newest_start,
            last_asked_at=row.last_asked_at,
        )
        for row in connection.execute(query)
    ]


def conversations_to_look_at(connection: Connection, since: datetime) -> list[CallsToLookAt]:
    """The open conversations begun after `since` that were left out and may get an agent, by day.

    Not those whose payload RETENTION_DAYS have taken: what came of them would go at once.
    """
    newest_start = func.max(conversations.c.conversation_start).label("newest_start")
    query = (
        select(conversations.c.call_date, func.count().label("calls"), newest_start)
        .where(
            conversations.c.conversation_end.is_(None),
            ~conversations.c.has_agent,
            conversations.c.conversation_start > since,
            cast(conversations.c.payload, Text) != FORGOTTEN_PAYLOAD,
        )
        .group_by(conversations.c.call_date)
        .order_by(conversations.c.call_date)
    )
    return [
        CallsToLookAt(
            call_date=row.call_date,
            have_ended=False,
            have_agent=False,
            count=row.calls,
            newest_start=row.newest_start,
            last_asked_at=row.newest_start,
        )
        for row in connection.execute(query)
    ]
