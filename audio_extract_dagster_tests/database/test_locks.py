"""Never two writers of a day, and a lock that is lost is noticed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from threading import Barrier

import pytest
from sqlalchemy import Engine, QueuePool, create_engine, text

from audio_extract_dagster.database.locks import (
    DayIsBusy,
    DayLock,
    LockLost,
    advisory_key,
    day_lock,
    is_held,
)
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.postgres import Database, Server

SCHEMA = "audio_extract"
FRIDAY = date(2024, 1, 5)
SATURDAY = date(2024, 1, 6)


def cut_all_connections(database: Database) -> None:
    """As a restart of the server does."""
    other = create_engine(database.settings.url())
    with other.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    other.dispose()


def test_a_day_is_locked_once(engine: Engine) -> None:
    with day_lock(engine, SCHEMA, FRIDAY) as lock:
        lock.check()
        with pytest.raises(DayIsBusy, match="2024-01-05"), day_lock(engine, SCHEMA, FRIDAY):
            pass
    with day_lock(engine, SCHEMA, FRIDAY):
        pass


def test_days_and_schemas_are_apart(engine: Engine) -> None:
    with (
        day_lock(engine, SCHEMA, FRIDAY),
        day_lock(engine, SCHEMA, SATURDAY),
        day_lock(engine, "another", FRIDAY),
    ):
        pass


def test_an_error_lets_go(engine: Engine) -> None:
    with pytest.raises(KeyError), day_lock(engine, SCHEMA, FRIDAY):
        raise KeyError
    assert not is_held(engine, SCHEMA, FRIDAY)


def test_anybody_can_see_that_a_day_is_worked_on(engine: Engine) -> None:
    assert not is_held(engine, SCHEMA, FRIDAY)
    with day_lock(engine, SCHEMA, FRIDAY):
        assert is_held(engine, SCHEMA, FRIDAY)
        assert not is_held(engine, SCHEMA, SATURDAY)
    assert not is_held(engine, SCHEMA, FRIDAY)


def test_the_lock_of_another_database_is_not_ours(engine: Engine, postgres_server: Server) -> None:
    with (
        postgres_server.database() as other,
        day_lock(other.engine, SCHEMA, FRIDAY),
        day_lock(engine, SCHEMA, FRIDAY),
    ):
        assert is_held(engine, SCHEMA, FRIDAY)


def test_waiting_has_an_end(engine: Engine) -> None:
    clock = FakeClock()
    began = clock.monotonic()
    with day_lock(engine, SCHEMA, FRIDAY):
        with (
            pytest.raises(DayIsBusy),
            day_lock(engine, SCHEMA, FRIDAY, wait_seconds=30, clock=clock),
        ):
            pass
        assert 30 <= clock.monotonic() - began <= 32


def test_waiting_ends_when_the_other_has_ended(engine: Engine) -> None:
    first = ExitStack()
    first.enter_context(day_lock(engine, SCHEMA, FRIDAY))

    class FirstEndsMeanwhile(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            first.close()

    with day_lock(engine, SCHEMA, FRIDAY, wait_seconds=60, clock=FirstEndsMeanwhile()) as second:
        second.check()


def test_a_broken_connection_takes_the_lock_again(database: Database) -> None:
    with day_lock(database.engine, SCHEMA, FRIDAY) as lock:
        cut_all_connections(database)
        assert not is_held(database.engine, SCHEMA, FRIDAY)
        lock.check()
        assert is_held(database.engine, SCHEMA, FRIDAY)
        lock.check()


def test_a_day_that_another_took_is_lost(database: Database) -> None:
    engine = database.engine
    with day_lock(engine, SCHEMA, FRIDAY) as lock:
        cut_all_connections(database)
        with day_lock(engine, SCHEMA, FRIDAY) as other:
            with pytest.raises(LockLost, match="another run took the day"):
                lock.check()
            other.check()
        lock.check()


def test_without_a_database_the_lock_is_lost(database: Database) -> None:
    with day_lock(database.engine, SCHEMA, FRIDAY) as lock:
        closing = create_engine(
            database.settings.url().set(database="postgres"), isolation_level="AUTOCOMMIT"
        )
        with closing.connect() as connection:
            name = database.settings.database
            connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
            cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :x"
            connection.execute(text(cut), {"x": name})
        closing.dispose()
        with pytest.raises(LockLost, match="PG_HOST"):
            lock.check()


def test_any_thread_may_check(engine: Engine) -> None:
    with day_lock(engine, SCHEMA, FRIDAY) as lock, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: lock.check(), range(100)))


def test_threads_that_find_the_connection_broken_together_take_the_lock_again_once(
    database: Database,
) -> None:
    together = Barrier(8)

    def check(lock: DayLock) -> None:
        together.wait()
        lock.check()

    with day_lock(database.engine, SCHEMA, FRIDAY) as lock, ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            cut_all_connections(database)
            list(threads.map(check, [lock] * 8))
            assert is_held(database.engine, SCHEMA, FRIDAY)


def test_the_lock_takes_nothing_from_the_pool(engine: Engine) -> None:
    assert isinstance(engine.pool, QueuePool)
    with day_lock(engine, SCHEMA, FRIDAY):
        assert engine.pool.checkedout() == 0


def test_keys_are_the_same_everywhere() -> None:
    assert advisory_key("day", SCHEMA, "2024-01-05") == advisory_key("day", SCHEMA, "2024-01-05")
    assert advisory_key("a", "bc") != advisory_key("ab", "c")
    assert advisory_key("day", SCHEMA, "2024-01-05") == -7469781606884431064
