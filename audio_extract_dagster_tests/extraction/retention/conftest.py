"""A storage with calls whose files and rows agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, Table, update

from audio_extract_dagster.database.ledger import records
from audio_extract_dagster.database.ledger.records import Asked
from audio_extract_dagster.database.tables import agent_calls, conversations
from audio_extract_dagster.model import StoredPart, StoredRecording
from audio_extract_dagster.storage import FolderStorage, audio_key, audio_stem
from audio_extract_dagster_tests.builders import DAY, NOW, add_calls, call

_DETAILS: dict[Table, dict[str, object]] = {
    agent_calls: {"ani": "tel:+51999", "dnis": "tel:+511"},
    conversations: {"payload": {"participants": []}},
}


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "audio")


@pytest.fixture
def store(engine: Engine, storage: FolderStorage) -> Callable[..., StoredRecording]:
    """Gives an agent call a recording whose file is there."""

    def store(
        conversation_id: str, day: date = DAY, ended_at: datetime | None = NOW
    ) -> StoredRecording:
        this = call(conversation_id, ended_at=ended_at)
        add_calls(engine, this, day=day)
        with storage.stage(f"{day:%Y/%m/%d}/{conversation_id}/r") as staged:
            staged.write(conversation_id.encode())
            staged.hash(conversation_id.encode())
            key = audio_key(audio_stem(day, conversation_id, "r", 0), "ogg")
            file = storage.commit(staged, key, content_type="audio/ogg")
        part = StoredPart(0, file.uri, "audio/ogg", file.size_bytes, file.sha256, 60.0)
        recording = StoredRecording(conversation_id, "r", (part,))
        with engine.begin() as connection:
            asked = Asked(day, None, NOW)
            records.write_stored(connection, asked, [recording], {conversation_id: this})
            for table, details in _DETAILS.items():
                of_call = table.c.conversation_id == conversation_id
                connection.execute(update(table).where(of_call).values(details))
        return recording

    return store
