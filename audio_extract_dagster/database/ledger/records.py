"""The table `audio_records`: what became of each recording.

One statement serves a whole batch, so that statements grow with batches and not with calls.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, text, update

from audio_extract_dagster.database.ledger.calls import OPEN
from audio_extract_dagster.database.storable import clean_json
from audio_extract_dagster.database.tables import audio_records
from audio_extract_dagster.model import (
    CallToAsk,
    Reason,
    RecordStatus,
    StoredRecording,
)

_KEY = ("conversation_id", "recording_id", "part")
# What a newer row leaves of an older one. `_WRITE` has a rule of its own for the first request, and
# `mark_more` says whether more may come.
_KEPT = (*_KEY, "first_requested_at", "may_have_more")
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
    known_without = (
        call
        for call, by_id in settled
        if "" not in by_id and any(not record.recording_id for record in call.records)
    )
    _delete_without_id(connection, [call.conversation_id for call in known_without])


def mark_more(
    connection: Connection, calls: Iterable[CallToAsk], more: Collection[str], now: datetime
) -> None:
    """Note of calls that have their answer which of them, by id, may get more recordings."""
    changed = {*more, *(each.conversation_id for each in calls if each.may_have_more)}
    if changed:
        connection.execute(
            update(audio_records)
            .where(audio_records.c.conversation_id.in_(changed))
            .values(may_have_more=audio_records.c.conversation_id.in_(more), updated_at=now)
        )


def _row(asked: Asked, call: CallToAsk, recording_id: str) -> dict[str, object]:
    return {
        "conversation_id": call.conversation_id,
        "recording_id": recording_id,
        "call_date": asked.call_date,
        "batch_id": asked.batch_id,
        "attempts": call.attempts + 1,
        "first_requested_at": asked.now,
        "updated_at": asked.now,
        "may_have_more": call.may_have_more,
    }


def _write(connection: Connection, rows: Iterable[Mapping[str, object]]) -> None:
    """Replace the rows of these recordings by `rows`, and drop what they make untrue."""
    # One statement cannot write a row twice: the last counts.
    by_key = {tuple(row[name] for name in _KEY): row for row in rows}
    identified = {conversation_id for conversation_id, recording_id, _ in by_key if recording_id}
    true = [
        row
        for (conversation_id, recording_id, _), row in by_key.items()
        if recording_id or conversation_id not in identified
    ]
    if true:
        connection.execute(_WRITE, {"rows": clean_json(msgspec.json.encode(true).decode())})


def _delete_without_id(connection: Connection, conversation_ids: Sequence[str]) -> None:
    if conversation_ids:
        connection.execute(
            delete(audio_records).where(
                audio_records.c.conversation_id.in_(conversation_ids),
                audio_records.c.recording_id == "",
            )
        )


_NAMES = [column.name for column in audio_records.c]
_ALL = ", ".join(_NAMES)
_REPLACED = ", ".join(f"{name} = excluded.{name}" for name in _NAMES if name not in _KEPT)
_OPEN = ", ".join(f"'{status}'" for status in OPEN)
# A recording that comes in other parts than before leaves no old part behind, and the row without a
# recording id goes as soon as the call has one with an id. The first request stays the first; only
# a recording that was settled begins anew. The rows come as one JSON array: a parameter for each
# value would cost more than all the rest.
_WRITE = text(f"""
    WITH new AS (
        SELECT * FROM jsonb_populate_recordset(NULL::audio_records, CAST(:rows AS jsonb))
    ), untrue AS (
        DELETE FROM audio_records AS old USING new
         WHERE old.conversation_id = new.conversation_id
           AND old.recording_id IN ('', new.recording_id)
           AND (old.conversation_id, old.recording_id, old.part) NOT IN (
               SELECT conversation_id, recording_id, part FROM new)
    )
    INSERT INTO audio_records AS old ({_ALL}) SELECT {_ALL} FROM new
    ON CONFLICT ({", ".join(_KEY)}) DO UPDATE SET
        {_REPLACED},
        first_requested_at = CASE
            WHEN old.status NOT IN ({_OPEN}) AND excluded.status IN ({_OPEN})
            THEN excluded.first_requested_at
            ELSE coalesce(old.first_requested_at, excluded.first_requested_at) END
""")  # noqa: S608 - made of names and words of the project
