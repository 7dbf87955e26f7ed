"""What holds for the rows of a call, whatever is written in whichever order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from audio_extract_dagster.database.ledger import records
from audio_extract_dagster.database.ledger.records import Asked
from audio_extract_dagster.database.tables import agent_calls, audio_records, conversations
from audio_extract_dagster.model import CallToAsk, Reason, StoredRecording
from audio_extract_dagster_tests.builders import DAY, NOW, add_calls, call, recording, rows
from audio_extract_dagster_tests.database.ledger_records import load
from audio_extract_dagster_tests.postgres import Server


@pytest.fixture(scope="module")
def shared_engine(postgres_server: Server) -> Iterator[Engine]:
    """One database for all examples of the property below; each starts from empty tables."""
    with postgres_server.database() as database:
        yield database.engine


ids = st.sampled_from(["r-1", "r-2", "r-3"])
stored_recordings = st.builds(
    lambda recording_id, parts: recording(recording_id, parts=parts),
    ids,
    st.sampled_from([[0], [1, 2], [1, 2, 3]]),
)
reasons_by_id = st.dictionaries(ids, st.sampled_from(Reason), max_size=3) | st.builds(
    lambda reason: {"": reason}, st.sampled_from(Reason)
)
Step = list[StoredRecording] | dict[str, Reason]
steps = st.lists(st.lists(stored_recordings, min_size=1, max_size=3) | reasons_by_id, max_size=6)


def write(engine: Engine, asked: Asked, known: CallToAsk, step: Step) -> None:
    with engine.begin() as connection:
        if isinstance(step, dict):
            records.write_reasons(connection, asked, [(known, step)])
        else:
            records.write_stored(connection, asked, step, {"c-1": known})


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_whatever_is_written_twice_changes_nothing_and_parts_stay_together(
    shared_engine: Engine, happening: list[Step]
) -> None:
    engine = shared_engine
    with engine.begin() as connection:
        for table in (audio_records, agent_calls, conversations):
            connection.execute(delete(table))
    add_calls(engine, call("c-1"))
    for number, step in enumerate(happening):
        asked = Asked(DAY, f"b-{number}", NOW + timedelta(hours=number))
        known = load(engine)
        write(engine, asked, known, step)
        once = rows(engine, audio_records)
        write(engine, asked, known, step)
        assert rows(engine, audio_records) == once
        parts: dict[str, list[int]] = {}
        batches: dict[str, set[str]] = {}
        for row in once:
            parts.setdefault(row["recording_id"], []).append(row["part"])
            batches.setdefault(row["recording_id"], set()).add(row["batch_id"])
        assert all(found in ([0], [1, 2], [1, 2, 3]) for found in parts.values())
        assert all(len(found) == 1 for found in batches.values())
        if not isinstance(step, dict) or (step and "" not in step):
            assert "" not in parts
