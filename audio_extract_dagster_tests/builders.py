"""Conversations, calls and records as the tests of the rules need them: plain data, no rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, insert, select

from audio_extract_dagster.database.tables import agent_calls, conversations
from audio_extract_dagster.genesys import Conversation, Participant, Segment, Session
from audio_extract_dagster.genesys.wire import read_conversation
from audio_extract_dagster.model import CallToAsk, KnownRecord, StoredPart, StoredRecording

DAY = date(2026, 3, 10)
"""A Tuesday."""
START = datetime(2026, 3, 10, 14, 0, tzinfo=timezone.utc)
"""When calls start unless said otherwise: 9 in the morning in Lima."""
NOW = datetime(2026, 3, 11, 11, 0, tzinfo=timezone.utc)
"""The next morning, when the day is extracted."""

_SAMPLES = Path(__file__).parents[2] / "shared/samples/conversations/voice-days.json"


def sample_conversations() -> list[Conversation]:
    """Real conversations, of which eight started on 2024-02-16; skips the test without them."""
    if not _SAMPLES.exists():
        pytest.skip(f"there are no sample conversations at {_SAMPLES}")
    payloads = json.loads(_SAMPLES.read_bytes())["conversations"]
    return [read_conversation(json.dumps(each).encode()) for each in payloads]


def segment(kind: str, second: float = 0, **fields: Any) -> Segment:
    """A segment that starts so many seconds after `START`."""
    return Segment(start=START + timedelta(seconds=second), type=kind, **fields)


def session(*segments: Segment, media_type: str = "voice", **fields: Any) -> Session:
    return Session(media_type=media_type, segments=segments, **fields)


def participant(purpose: str, *sessions: Session, user_id: str | None = None) -> Participant:
    return Participant(purpose=purpose, user_id=user_id, sessions=sessions)


def conversation(
    *participants: Participant, conversation_id: str = "c-1", start: datetime = START
) -> Conversation:
    """A conversation of seven minutes; its payload is not for reading."""
    end = start + timedelta(minutes=7)
    return Conversation(conversation_id, start, end, "inbound", participants, b"{}")


def call(conversation_id: str = "c-1", *known: KnownRecord, **fields: Any) -> CallToAsk:
    """An answered call that has ended, with one session that says it was recorded."""
    values: dict[str, Any] = {
        "conversation_start": START,
        "ended_at": START + timedelta(minutes=7),
        "answered": True,
        "recording_sessions": 1,
        "records": known,
        **fields,
    }
    return CallToAsk(conversation_id, **values)


def recording(
    recording_id: str = "r-1", conversation_id: str = "c-1", *, parts: Sequence[int] = (0,)
) -> StoredRecording:
    """A recording whose files are in the storage."""
    return StoredRecording(
        conversation_id,
        recording_id,
        tuple(
            StoredPart(part, f"file:///{recording_id}-{part}", "audio/ogg", 1000, "ab" * 32, 30.0)
            for part in parts
        ),
    )


def add_calls(engine: Engine, *calls: CallToAsk, day: date = DAY) -> None:
    """Make these the agent calls of the day, as a listing would; they are conversations, too."""
    with engine.begin() as connection:
        for each in calls:
            connection.execute(
                insert(conversations).values(
                    conversation_id=each.conversation_id,
                    call_date=day,
                    conversation_start=each.conversation_start,
                    queue_ids=[],
                    has_agent=True,
                    payload={},
                )
            )
            connection.execute(
                insert(agent_calls).values(
                    conversation_id=each.conversation_id,
                    call_date=day,
                    conversation_start=each.conversation_start,
                    ended_at=each.ended_at,
                    answered=each.answered,
                    recording_sessions=each.recording_sessions,
                    agent_ids=[],
                )
            )


def rows(engine: Engine, table: Table) -> list[dict[str, Any]]:
    """All rows, in the order of the key."""
    with engine.connect() as connection:
        found = connection.execute(select(table).order_by(*table.primary_key.columns))
        return [dict(row._mapping) for row in found]
