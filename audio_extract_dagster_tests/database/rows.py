"""Rows to write in tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timezone
from typing import Any

from sqlalchemy import Engine, insert, select, text

from audio_extract_dagster.database.day_tables import DayRows
from audio_extract_dagster.database.tables import audio_records, conversations

FRIDAY = date(2024, 1, 5)
SATURDAY = date(2024, 1, 6)
NOON = datetime(2024, 1, 5, 17, tzinfo=timezone.utc)

COLUMNS = tuple(column.name for column in conversations.columns)


def conversation(key: str, day: date = FRIDAY, **changes: Any) -> tuple[Any, ...]:
    """A row of `conversations`, in the order of `COLUMNS`."""
    row = {
        "conversation_id": key,
        "call_date": day,
        "conversation_start": NOON,
        "conversation_end": None,
        "originating_direction": "inbound",
        "queue_ids": ["q-1", "q-2"],
        "has_agent": True,
        "excluded_reason": None,
        "payload": {"conversationId": key, "participants": []},
        **changes,
    }
    return tuple(row[name] for name in COLUMNS)


def stream(rows: Sequence[tuple[Any, ...]], counts: Mapping[str, object] | None = None) -> DayRows:
    """`rows` of `conversations` as a stream that gives `counts`."""
    return DayRows(COLUMNS, iter(rows), lambda: counts or {})


def stored_conversations(engine: Engine) -> list[tuple[Any, ...]]:
    """All rows of `conversations`, in the order of their ids."""
    with engine.connect() as connection:
        query = select(conversations).order_by(conversations.c.conversation_id)
        return [tuple(row) for row in connection.execute(query)]


def add_audio_record(engine: Engine, key: str, day: date = FRIDAY) -> None:
    """Give the call `key` a record."""
    with engine.begin() as connection:
        connection.execute(
            insert(audio_records).values(
                conversation_id=key,
                call_date=day,
                status="PENDING",
                reason="uploading",
                updated_at=NOON,
            )
        )


def failing_after(rows: Sequence[tuple[Any, ...]], error: BaseException) -> Iterator[Any]:
    """A stream that gives `rows` and then fails."""
    yield from rows
    raise error


def versions(engine: Engine) -> dict[str, tuple[str, str]]:
    """Where each row is and who locked it: the same again means that it was not touched."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT conversation_id, ctid, xmax FROM conversations"))
        return {key: (str(place), str(locked)) for key, place, locked in rows}
