"""The IO manager's tables: a day of 100,000 rows of 15 columns written and read back.

Written is a DataFrame, as a user's asset has it, and a stream, as the project's own assets have it,
into an empty day. The yardstick is psql with the same rows as a ready file; `DataFrame.to_sql` and
ADBC are what else one could take.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pandas as pd
from adbc_driver_postgresql import dbapi
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Engine,
    Index,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from audio_extract_dagster.database.copy_text import encode_frame
from audio_extract_dagster.database.day_tables import DayRows, read_day, replace_day
from audio_extract_dagster.database.tables import JSON, MOMENT
from audio_extract_dagster_tests.postgres import Database
from benchmarks.measure import Candidate, Finding, compare, main, timed
from benchmarks.surroundings import database, folder, psql

_ROWS = 100_000
_DAY = date(2026, 3, 10)
_QUERY = "SELECT * FROM benchmark WHERE call_date = '2026-03-10' ORDER BY conversation_id"

TABLE = Table(
    "benchmark",
    MetaData(),
    Column("conversation_id", Text, primary_key=True),
    Column("call_date", Date, nullable=False),
    *(Column(f"text_{n}", Text) for n in range(4)),
    *(Column(f"moment_{n}", MOMENT) for n in range(3)),
    *(Column(f"number_{n}", BigInteger) for n in range(3)),
    *(Column(f"flag_{n}", Boolean) for n in range(2)),
    Column("payload", JSON),
    Index("ix_benchmark_call_date", "call_date"),
)


def measure(rounds: int) -> list[Finding]:
    frame = _frame()
    columns = [TABLE.c[name] for name in frame.columns]
    rows = _rows(frame)
    with folder() as home, database() as made:
        TABLE.create(made.engine)
        ready = home / "rows.txt"
        ready.write_bytes(b"".join(encode_frame(columns, frame)))
        copy = f"\\copy benchmark ({', '.join(frame.columns)}) from '{ready}'"
        into_empty = partial(_into_empty, made.engine)
        by_frame = partial(replace_day, made.engine, TABLE, _DAY, frame)
        names = list(frame.columns)

        def by_stream() -> None:
            replace_day(made.engine, TABLE, _DAY, DayRows(names, iter(rows)))

        written = compare(
            "psql \\copy",
            partial(into_empty, partial(psql, made, copy)),
            [
                Candidate("write a DataFrame of 100,000 rows", partial(into_empty, by_frame), 1.3),
                Candidate("write a stream of 100,000 rows", partial(into_empty, by_stream), 1.3),
            ],
            rounds,
        )
        slow = compare(
            "DataFrame.to_sql",
            partial(into_empty, partial(_to_sql, made.engine, frame)),
            [Candidate("write a DataFrame of 100,000 rows", partial(into_empty, by_frame), 0.1)],
            min(rounds, 3),
        )
        into_empty(by_frame)
        read = compare(
            "ADBC fetch_arrow_table + to_pandas",
            partial(timed, partial(_by_adbc, made)),
            [
                Candidate(
                    "read a DataFrame of 100,000 rows",
                    partial(timed, partial(read_day, made.engine, TABLE, [_DAY])),
                    1.3,
                )
            ],
            rounds,
        )
    return [*written, *slow, *read]


def _into_empty(engine: Engine, write: Callable[[], object]) -> float:
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE benchmark"))
    seconds = timed(write)
    with engine.connect() as connection:
        count = connection.scalar(text("SELECT count(*) FROM benchmark"))
    if count != _ROWS:
        raise RuntimeError(f"{count} rows instead of {_ROWS}")
    return seconds


def _to_sql(engine: Engine, frame: pd.DataFrame) -> None:
    kinds: dict[Any, Any] = {"payload": JSONB(none_as_null=True)}
    frame.to_sql("benchmark", engine, if_exists="append", index=False, dtype=kinds)


def _by_adbc(made: Database) -> pd.DataFrame:
    url = made.settings.url().set(drivername="postgresql")
    address = url.render_as_string(hide_password=False)
    with dbapi.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute(f"SET search_path = {made.settings.schema}")
        cursor.execute(_QUERY)
        frame: pd.DataFrame = cursor.fetch_arrow_table().to_pandas()
        return frame


def _frame() -> pd.DataFrame:
    rng = random.Random(1)  # noqa: S311 - the same rows each time
    noon = datetime(2026, 3, 10, 12, tzinfo=timezone.utc)
    words = ("plain text", 'it\'s "quoted"', "two\nlines\tand a tab", "back\\slash", None, "", "ñ")

    def moment() -> datetime | None:
        moved = noon + timedelta(milliseconds=rng.randrange(86_400_000))
        return moved if rng.random() < 0.9 else None

    def payload(number: int) -> dict[str, object]:
        people = [{"purpose": "agent", "number": number}, {"purpose": "customer"}]
        return {"conversationId": str(number), "participants": people, "filler": "x" * 100}

    frame: pd.DataFrame = pd.DataFrame(
        {
            "conversation_id": [f"{n:08x}-0000-4000-8000-{n:012x}" for n in range(_ROWS)],
            "call_date": [_DAY] * _ROWS,
            **{f"text_{n}": [rng.choice(words) for _ in range(_ROWS)] for n in range(4)},
            **{f"moment_{n}": _moments([moment() for _ in range(_ROWS)]) for n in range(3)},
            **{f"number_{n}": [rng.randrange(10**6) for _ in range(_ROWS)] for n in range(3)},
            **{f"flag_{n}": [rng.random() < 0.5 for _ in range(_ROWS)] for n in range(2)},
            "payload": [payload(number) for number in range(_ROWS)],
        }
    )
    return frame


def _moments(values: list[datetime | None]) -> pd.Series[Any]:
    series: pd.Series[Any] = pd.Series(pd.to_datetime(pd.Series(values), utc=True))
    return series


def _rows(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    """The same rows as Python objects."""
    return list(zip(*(map(_plain, frame[name]) for name in frame.columns), strict=True))


def _plain(value: Any) -> object:
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value if isinstance(value, dict) or not pd.isna(value) else None


if __name__ == "__main__":
    main(measure)
