"""What counts as waiting for PostgreSQL, on a clock that moves one second with each reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count

import pytest
from sqlalchemy import Engine, exc, text

from audio_extract_dagster.database.connection import open_engine
from audio_extract_dagster.database.stopwatch import Stopwatch, time_database
from audio_extract_dagster_tests.postgres import Database

Clock = Callable[[], float]


@pytest.fixture
def clock() -> Clock:
    return map(float, count()).__next__


@pytest.fixture
def stopwatch(clock: Clock) -> Stopwatch:
    return Stopwatch(clock)


@pytest.fixture
def engine(database: Database, stopwatch: Stopwatch) -> Iterator[Engine]:
    engine = open_engine(database.settings)
    time_database(engine, stopwatch)
    with engine.connect():  # the first connection asks the server about itself
        pass
    yield engine
    engine.dispose()


@pytest.fixture
def spent(engine: Engine, stopwatch: Stopwatch) -> Clock:
    """Seconds since the test began."""
    before = stopwatch.seconds
    return lambda: stopwatch.seconds - before


def test_connecting_counts(engine: Engine, stopwatch: Stopwatch) -> None:
    assert stopwatch.seconds > 0


def test_a_statement_and_its_commit_count(engine: Engine, spent: Clock) -> None:
    with engine.connect() as connection:
        before = spent()
        connection.execute(text("CREATE TEMPORARY TABLE t (n int)"))
        assert spent() - before == 1
        connection.commit()
        assert spent() - before == 2


def test_a_statement_that_fails_counts(engine: Engine, spent: Clock) -> None:
    with engine.connect() as connection:
        before = spent()
        with pytest.raises(exc.DBAPIError):
            connection.execute(text("SELECT 1 / 0"))
        assert spent() - before == 1


def test_each_portion_of_a_stream_counts(engine: Engine, spent: Clock) -> None:
    with engine.connect() as connection:
        rows = connection.execution_options(yield_per=10).execute(
            text("SELECT generate_series(1, 30)")
        )
        before = spent()
        assert len(list(rows)) == 30
        assert spent() - before >= 3


def test_what_a_copy_is_fed_with_does_not(engine: Engine, spent: Clock, clock: Clock) -> None:
    class Rows:
        """Takes its time: reads the clock, too."""

        def __init__(self) -> None:
            self.chunks = [b"1\n2\n", b"3\n", b""]

        def read(self, _size: int) -> bytes:
            for _ in range(100):
                clock()
            return self.chunks.pop(0)

    with engine.connect() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE t (n int)"))
        driver = connection.connection.dbapi_connection
        assert driver is not None
        before = spent()
        with closing(driver.cursor()) as cursor:
            cursor.copy_expert("COPY t FROM STDIN", Rows())
        assert spent() - before < 100
        assert connection.scalar(text("SELECT sum(n) FROM t")) == 6


def test_what_a_copy_gives_counts(engine: Engine, spent: Clock) -> None:
    class Lines(list[bytes]):
        def write(self, line: bytes) -> None:
            self.append(bytes(line))

    lines = Lines()
    with engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        before = spent()
        with closing(driver.cursor()) as cursor:
            cursor.copy_expert("COPY (SELECT 'ñ') TO STDOUT", lines)
        assert spent() - before == 1
    assert lines == ["ñ\n".encode()]
