"""Writing and reading `audio_records` as a run does, in a line of a test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine, update

from audio_extract_dagster.database.ledger import records
from audio_extract_dagster.database.ledger.calls import calls_of_day, named_calls
from audio_extract_dagster.database.ledger.records import Asked
from audio_extract_dagster.database.tables import agent_calls, audio_records
from audio_extract_dagster.model import CallToAsk, Reason, StoredRecording
from audio_extract_dagster_tests.builders import DAY, NOW, rows

Shown = dict[tuple[str, int], str]


def load(engine: Engine, conversation_id: str = "c-1") -> CallToAsk:
    """The call as the next batch would see it."""
    with engine.connect() as connection:
        (found,) = named_calls(connection, [conversation_id])
    return found


def store(
    engine: Engine, *recordings: StoredRecording, now: datetime = NOW, batch_id: str = "b-1"
) -> None:
    calls = {each.conversation_id: load(engine, each.conversation_id) for each in recordings}
    with engine.begin() as connection:
        records.write_stored(connection, Asked(DAY, batch_id, now), recordings, calls)


def give(
    engine: Engine,
    reasons: Mapping[str, Reason],
    conversation_id: str = "c-1",
    *,
    now: datetime = NOW,
    batch_id: str = "b-1",
) -> None:
    settled = [(load(engine, conversation_id), reasons)]
    with engine.begin() as connection:
        records.write_reasons(connection, Asked(DAY, batch_id, now), settled)


def mark(engine: Engine, *more: str, now: datetime = NOW) -> None:
    """Of all calls these may have more recordings."""
    with engine.begin() as connection:
        records.mark_more(connection, calls_of_day(connection, DAY), more, now)


def end(engine: Engine, conversation_id: str = "c-1") -> None:
    """The day was listed again, and the call has ended by now."""
    with engine.begin() as connection:
        connection.execute(
            update(agent_calls)
            .where(agent_calls.c.conversation_id == conversation_id)
            .values(ended_at=NOW)
        )


def shown(engine: Engine, conversation_id: str = "c-1") -> Shown:
    """The rows of a call: what became of each part of each recording."""
    return {
        (row["recording_id"], row["part"]): row["reason"] or row["status"]
        for row in rows(engine, audio_records)
        if row["conversation_id"] == conversation_id
    }
