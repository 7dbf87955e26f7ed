"""The table `audio_records`: which calls to ask for, and what became of each recording.

One statement serves a whole batch, so that statements grow with batches and not with calls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from audio_extract_dagster.database.tables import agent_calls, audio_records
from audio_extract_dagster.model import (
    OPEN_CALLS,
    Ask,
    CallToAsk,
    KnownRecord,
    Reason,
    RecordStatus,
    Selection,
    StoredRecording,
)

_OPEN = (RecordStatus.PENDING.value, RecordStatus.FAILED.value)
_KEY = ("conversation_id", "recording_id", "part")
_NO_FILE = dict.fromkeys(
    ("uri", "content_type", "size_bytes", "sha256", "duration_seconds", "stored_at")
)


class Position(NamedTuple):
    """How far the planning of a day has come: the last call taken, in the order of the day."""

    conversation_start: datetime
    conversation_id: str


class Asked(NamedTuple):
    """The request that an answer belongs to."""

    call_date: date
    batch_id: str | None
    now: datetime


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


def calls(connection: Connection, conversation_ids: Sequence[str]) -> list[CallToAsk]:
    """The named calls with the records they have; unknown ids are left out.

    A call is asked for since the oldest of its recordings that are still open was.
    """
    query = select(agent_calls).where(agent_calls.c.conversation_id.in_(conversation_ids))
    return _with_records(connection, connection.execute(query))


def write_stored(
    connection: Connection,
    asked: Asked,
    recordings: Sequence[StoredRecording],
    calls_by_id: Mapping[str, CallToAsk],
) -> None:
    """Record recordings whose files are in the storage, whole.

    Of a recording that arrived more than once, first in part and then whole, the last one counts.
    """
    latest = {(each.conversation_id, each.recording_id): each for each in recordings}
    rows = [
        _row(asked, calls_by_id[recording.conversation_id], recording.recording_id)
        | {
            "part": part.part,
            "status": RecordStatus.STORED.value,
            "reason": None,
            "uri": part.uri,
            "content_type": part.content_type,
            "size_bytes": part.size_bytes,
            "sha256": part.sha256,
            "duration_seconds": part.duration_seconds,
            "stored_at": asked.now,
        }
        for recording in latest.values()
        for part in recording.parts
    ]
    _write(connection, rows)


def reopen(connection: Connection, conversation_id: str, recording_id: str, now: datetime) -> None:
    """A stored recording counts as on its way again: its files are about to be replaced."""
    connection.execute(
        update(audio_records)
        .where(
            audio_records.c.conversation_id == conversation_id,
            audio_records.c.recording_id == recording_id,
            audio_records.c.status == RecordStatus.STORED.value,
        )
        .values(
            status=Reason.BATCH_UNFINISHED.status.value,
            reason=Reason.BATCH_UNFINISHED.code,
            first_requested_at=now,
            updated_at=now,
            **_NO_FILE,
        )
    )


def write_reasons(
    connection: Connection,
    asked: Asked,
    reasons: Iterable[tuple[CallToAsk, Mapping[str, Reason]]],
) -> None:
    """Record why recordings are not stored: for each call, a reason by recording id.

    A call that has no reason without an id keeps no row without one, either.
    """
    settled = list(reasons)
    rows = [
        _row(asked, call, recording_id)
        | {
            "part": 0,
            "status": reason.status.value,
            "reason": reason.code,
            **_NO_FILE,
        }
        for call, by_id in settled
        for recording_id, reason in by_id.items()
    ]
    _write(connection, rows)
    _delete_without_id(connection, [call.conversation_id for call, ids in settled if "" not in ids])


def _asked_for(selection: Selection) -> ColumnElement[bool]:
    """Open calls have no record yet, or one that is `PENDING` or `FAILED`."""
    record_of_call = audio_records.c.conversation_id == agent_calls.c.conversation_id
    is_new = ~exists().where(record_of_call)
    is_open = exists().where(and_(record_of_call, audio_records.c.status.in_(_OPEN)))
    conditions = {
        Ask.NEW_CALLS: is_new,
        Ask.OPEN_CALLS: or_(is_new, is_open),
        Ask.ALL_CALLS: true(),
    }
    asked_for = conditions[selection.ask]
    if selection.conversation_ids:
        named = agent_calls.c.conversation_id.in_(selection.conversation_ids)
        asked_for = and_(asked_for, named)
    return asked_for


def _row(asked: Asked, call: CallToAsk, recording_id: str) -> dict[str, object]:
    return {
        "conversation_id": call.conversation_id,
        "recording_id": recording_id,
        "call_date": asked.call_date,
        "batch_id": asked.batch_id,
        "attempts": call.attempts + 1,
        "first_requested_at": asked.now,
        "updated_at": asked.now,
    }


def _write(connection: Connection, rows: list[dict[str, object]]) -> None:
    """Replace the rows of these recordings by `rows`, and drop what they make untrue.

    A recording that comes in other parts than before leaves no old part behind, and the row
    without a recording id goes as soon as the call has one with an id.
    """
    if not rows:
        return
    # One statement cannot update a row twice: the last counts.
    by_key = {tuple(row[name] for name in _KEY): row for row in rows}
    statement = insert(audio_records)
    new: dict[str, ColumnElement[Any]] = {
        c.name: statement.excluded[c.name] for c in audio_records.c if c.name not in _KEY
    }
    # The first request stays the first; only a recording that was settled begins anew.
    # Compared one by one: a list is expanded when it is bound, which a statement for many rows
    # cannot be.
    was_open, is_open = (
        or_(*(status == each for each in _OPEN))
        for status in (audio_records.c.status, statement.excluded.status)
    )
    begins_anew = and_(~was_open, is_open)
    new["first_requested_at"] = case(
        (begins_anew, statement.excluded.first_requested_at),
        else_=func.coalesce(
            audio_records.c.first_requested_at, statement.excluded.first_requested_at
        ),
    )
    # What returns something goes as one statement; otherwise each row would be a round trip.
    upsert = statement.on_conflict_do_update(index_elements=_KEY, set_=new)
    connection.execute(upsert.returning(audio_records.c.part), list(by_key.values()))

    key = tuple_(*(audio_records.c[name] for name in _KEY))
    recordings = [(conversation_id, recording_id) for conversation_id, recording_id, _ in by_key]
    recording = tuple_(audio_records.c.conversation_id, audio_records.c.recording_id)
    connection.execute(
        delete(audio_records).where(recording.in_(recordings), key.not_in(list(by_key)))
    )
    identified = [str(row["conversation_id"]) for row in rows if row["recording_id"]]
    _delete_without_id(connection, identified)


def _delete_without_id(connection: Connection, conversation_ids: Sequence[str]) -> None:
    connection.execute(
        delete(audio_records).where(
            audio_records.c.conversation_id.in_(conversation_ids),
            audio_records.c.recording_id == "",
        )
    )


def _with_records(connection: Connection, rows: Iterable[Row[Any]]) -> list[CallToAsk]:
    found = list(rows)
    ids = [row.conversation_id for row in found]
    known: dict[str, list[KnownRecord]] = defaultdict(list)
    first_requested: dict[str, datetime] = {}
    query = select(audio_records).where(audio_records.c.conversation_id.in_(ids))
    for record in connection.execute(query) if ids else ():
        known[record.conversation_id].append(
            KnownRecord(record.recording_id, RecordStatus(record.status), record.attempts)
        )
        is_open = record.recording_id and record.status in _OPEN
        if is_open and record.first_requested_at is not None:
            earliest = first_requested.get(record.conversation_id, record.first_requested_at)
            first_requested[record.conversation_id] = min(earliest, record.first_requested_at)
    return [
        CallToAsk(
            conversation_id=row.conversation_id,
            conversation_start=row.conversation_start,
            ended_at=row.ended_at,
            answered=row.answered,
            recording_sessions=row.recording_sessions,
            first_requested_at=first_requested.get(row.conversation_id),
            records=tuple(known[row.conversation_id]),
        )
        for row in found
    ]
