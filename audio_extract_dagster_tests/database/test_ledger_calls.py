"""What planning a batch costs the database, however long the day is."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine, text

from audio_extract_dagster.database.ledger.calls import Position, next_calls
from audio_extract_dagster_tests.builders import DAY

CALLS = 4000


@pytest.fixture
def long_day(engine: Engine) -> Engine:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(
            text("""
                INSERT INTO agent_calls (conversation_id, call_date, conversation_start, agent_ids,
                                         answered, recording_sessions)
                SELECT 'c-' || n, :day, CAST(:day AS timestamptz) + n * interval '10 s', '{}',
                       true, 1
                  FROM generate_series(1, :calls) n
            """),
            {"day": DAY, "calls": CALLS},
        )
        connection.execute(text("ANALYZE"))
    return engine


def rows_read(connection: Connection) -> int:
    """Rows of `agent_calls` that this transaction has read so far."""
    query = text("""
        SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
          FROM pg_stat_xact_user_tables WHERE relname = 'agent_calls'
    """)
    return connection.scalar(query) or 0


def test_a_batch_reads_its_own_calls_and_not_the_day(long_day: Engine) -> None:
    with long_day.begin() as connection:
        position, seen = None, 0
        for _ in range(5):
            before = rows_read(connection)
            calls = next_calls(connection, DAY, 90, position)
            assert rows_read(connection) - before <= 2 * 90
            position = Position(calls[-1].conversation_start, calls[-1].conversation_id)
            seen += len(calls)
    assert seen == 450
