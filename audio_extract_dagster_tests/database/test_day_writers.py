"""Writers of days beside each other, beside readers, and without their connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, text

from audio_extract_dagster.database.connection import DatabaseUnavailable, open_engine
from audio_extract_dagster.database.day_tables import (
    DayRows,
    replace_day,
)
from audio_extract_dagster.database.migrate import migrate
from audio_extract_dagster.database.tables import (
    conversations,
)
from audio_extract_dagster_tests.database.rows import (
    COLUMNS,
    FRIDAY,
    conversation,
    stored_conversations,
    stream,
)
from audio_extract_dagster_tests.postgres import Database


def cut_all_other_connections(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def test_a_stream_that_fails_is_the_cause_also_if_the_connection_is_cut(engine: Engine) -> None:
    def cutting() -> Iterator[tuple[Any, ...]]:
        yield conversation("a")
        cut_all_other_connections(engine)
        raise KeyError("the stream's own")

    with pytest.raises(KeyError, match="the stream's own"):
        replace_day(engine, conversations, FRIDAY, DayRows(COLUMNS, cutting()))
    assert stored_conversations(engine) == []


def test_a_cut_connection_may_come_back(engine: Engine) -> None:
    def cutting() -> Iterator[tuple[Any, ...]]:
        yield conversation("a")
        cut_all_other_connections(engine)
        for number in range(5000):
            yield conversation(f"c-{number}")

    with pytest.raises(DatabaseUnavailable):
        replace_day(engine, conversations, FRIDAY, DayRows(COLUMNS, cutting()))
    replace_day(engine, conversations, FRIDAY, stream([conversation("a")]))
    assert stored_conversations(engine) == [conversation("a")]


def test_readers_see_the_old_day_until_the_new_one_is_whole(engine: Engine) -> None:
    replace_day(engine, conversations, FRIDAY, stream([conversation("old")]))
    seen: list[Any] = []

    def looking() -> Iterator[tuple[Any, ...]]:
        yield from (conversation(f"new-{number}") for number in range(1000))
        seen.extend(stored_conversations(engine))

    replace_day(engine, conversations, FRIDAY, DayRows(COLUMNS, looking()))
    assert seen == [conversation("old")]


def test_writers_of_two_schemas_do_not_wait_for_each_other(database: Database) -> None:
    other = open_engine(replace(database.settings, schema="other"))
    # So that a writer who waits for the other fails instead of waiting for ever.
    with database.engine.begin() as connection:
        connection.execute(
            text(f"ALTER DATABASE {database.settings.database} SET lock_timeout=500")
        )

    def writing_the_other() -> Iterator[tuple[Any, ...]]:
        yield conversation("ours")
        replace_day(other, conversations, FRIDAY, stream([conversation("theirs")]))

    try:
        migrate(other, "other")
        replace_day(database.engine, conversations, FRIDAY, DayRows(COLUMNS, writing_the_other()))
        assert stored_conversations(database.engine) == [conversation("ours")]
        assert stored_conversations(other) == [conversation("theirs")]
    finally:
        other.dispose()


def test_two_writers_of_a_day_take_turns(engine: Engine) -> None:
    first_has_begun, go_on = Event(), Event()

    def slow() -> Iterator[tuple[Any, ...]]:
        yield from (conversation(f"first-{number}") for number in range(600))
        first_has_begun.set()
        assert go_on.wait(10)

    def write_second() -> None:
        replace_day(engine, conversations, FRIDAY, stream([conversation("second")]))

    first = Thread(
        target=replace_day, args=(engine, conversations, FRIDAY, DayRows(COLUMNS, slow()))
    )
    second = Thread(target=write_second)
    first.start()
    assert first_has_begun.wait(10)
    second.start()
    go_on.set()
    first.join()
    second.join()
    assert stored_conversations(engine) == [conversation("second")]
