"""What `audio_records` holds, read for whole days: the files it claims, and what is still open.

Read only; rows are written by `records.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from audio_extract_dagster.database.ledger.calls import OPEN
from audio_extract_dagster.database.tables import agent_calls, audio_records
from audio_extract_dagster.model import CallsToLookAt, OpenRecords, Reason, RecordStatus

_ROWS_PER_FETCH = 2000


@dataclass(frozen=True)
class FileRow:
    """A `STORED` row: the file that must be there."""

    conversation_id: str
    recording_id: str
    uri: str
    size_bytes: int
    sha256: str


def stored_files(connection: Connection, call_date: date) -> Iterator[FileRow]:
    """The files that the rows of the day claim, in the order of their URIs, byte by byte.

    A stream: only some thousand rows are in memory at a time.
    """
    names = [audio_records.c[name] for name in FileRow.__dataclass_fields__]
    query = (
        select(*names)
        .where(
            audio_records.c.call_date == call_date,
            audio_records.c.status == RecordStatus.STORED.value,
        )
        .order_by(audio_records.c.uri.collate("C"))
    )
    for row in connection.execute(query, execution_options={"yield_per": _ROWS_PER_FETCH}):
        yield FileRow(*row)


def open_records(connection: Connection) -> list[OpenRecords]:
    """What is `PENDING` or `FAILED`, by day, status and whether the call is still open."""
    call_is_open = (audio_records.c.reason == Reason.CALL_OPEN.code).label("call_is_open")
    query = (
        select(
            audio_records.c.call_date,
            audio_records.c.status,
            call_is_open,
            func.count(),
            func.max(audio_records.c.attempts),
            func.max(func.coalesce(audio_records.c.first_requested_at, audio_records.c.updated_at)),
            func.max(audio_records.c.updated_at),
        )
        .where(audio_records.c.status.in_(OPEN))
        .group_by(audio_records.c.call_date, audio_records.c.status, call_is_open)
    )
    return [
        OpenRecords(day, RecordStatus(status), *rest)
        for day, status, *rest in connection.execute(query)
    ]


def calls_to_look_at(connection: Connection) -> list[CallsToLookAt]:
    """The calls that may get more recordings, by day and whether they have ended by now.

    Pending records are left out: calls are asked for again because of them.
    """
    has_ended = agent_calls.c.ended_at.is_not(None).label("has_ended")
    query = (
        select(
            audio_records.c.call_date,
            has_ended,
            func.count(audio_records.c.conversation_id.distinct()),
            func.max(agent_calls.c.conversation_start),
            func.max(audio_records.c.updated_at),
        )
        .join(agent_calls, agent_calls.c.conversation_id == audio_records.c.conversation_id)
        .where(
            audio_records.c.may_have_more,
            audio_records.c.status != RecordStatus.PENDING.value,
        )
        .group_by(audio_records.c.call_date, has_ended)
    )
    return [CallsToLookAt(*row) for row in connection.execute(query)]
