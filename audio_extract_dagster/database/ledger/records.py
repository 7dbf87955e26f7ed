"""The table `audio_records`: what became of each recording.

One statement serves a whole batch, so that statements grow with batches and not with calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    func,
    or_,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from audio_extract_dagster.database.ledger.calls import OPEN
from audio_extract_dagster.database.tables import audio_records
from audio_extract_dagster.model import (
    CallToAsk,
    Reason,
    RecordStatus,
    StoredRecording,
)

_KEY = ("conversation_id", "recording_id", "part")
_NO_FILE = dict.fromkeys(
    ("uri", "content_type", "size_bytes", "sha256", "duration_seconds", "stored_at")
)


class Asked(NamedTuple):
    """The request that an answer belongs to."""

    call_date: date
    batch_id: str | None
    now: datetime


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
        or_(*(status == each for each in OPEN))
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
