"""What is encoded for COPY comes back from PostgreSQL as it went."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    delete,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from audio_extract_dagster.database.copy_text import CannotEncode, encode_frame, encode_rows
from audio_extract_dagster.database.storable import clean_text
from audio_extract_dagster_tests.postgres import Server

KINDS = Table(
    "kinds",
    MetaData(),
    Column("position", Integer),
    Column("words", Text),
    Column("small", Integer),
    Column("big", BigInteger),
    Column("real", Double),
    Column("flag", Boolean),
    Column("day", Date),
    Column("moment", DateTime(timezone=True)),
    Column("list", ARRAY(Text)),
    Column("json", JSONB),
)

any_text = st.text(st.characters(codec=None, exclude_categories=()))
# Characters that mean something to COPY, to arrays and to JSON.
sharp_text = st.text(st.sampled_from('\\tnNr\t\n\r\b"{},.\0 \ud800\ud83d\ude00é'))
texts = any_text | sharp_text
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=zones)  # noqa: DTZ001
# The range of doubles that JSON, Python and PostgreSQL's numeric agree on to the last digit.
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
)
rows = st.tuples(
    texts,
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.booleans(),
    st.dates(),
    moments,
    st.lists(texts | st.none(), max_size=4),
    json_values.filter(lambda value: value is not None and not isinstance(value, str)),
)
optional_rows = st.lists(
    rows.flatmap(lambda row: st.tuples(*(st.just(value) | st.none() for value in row))), max_size=6
)


@pytest.fixture(scope="module")
def scratch(postgres_server: Server) -> Iterator[Engine]:
    with postgres_server.database() as database:
        KINDS.create(database.engine)
        yield database.engine


def copied(engine: Engine, columns: Sequence[Column[Any]], text: Iterator[bytes]) -> list[Any]:
    """What the table has after COPY of `text`."""
    names = ", ".join(column.name for column in columns)
    with engine.begin() as connection:
        connection.execute(delete(KINDS))
        driver: Any = connection.connection.dbapi_connection
        with driver.cursor() as cursor:
            cursor.copy_expert(f"COPY kinds ({names}) FROM STDIN", io.BytesIO(b"".join(text)))
        return [
            tuple(row) for row in connection.execute(select(*columns).order_by(KINDS.c.position))
        ]


def one(engine: Engine, name: str, value: object) -> object:
    """`value` as it comes back from the column `name`."""
    return copied(engine, [KINDS.c[name]], encode_rows([KINDS.c[name]], [(value,)]))[0][0]


def cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(key): cleaned(item) for key, item in value.items()}
    return value


@given(optional_rows)
def test_rows_come_back_as_they_went(scratch: Engine, given_rows: list[tuple[Any, ...]]) -> None:
    numbered = [(number, *row) for number, row in enumerate(given_rows)]
    columns = list(KINDS.columns)
    back = copied(scratch, columns, encode_rows(columns, iter(numbered)))
    assert back == [tuple(map(cleaned, row)) for row in numbered]


@given(optional_rows)
def test_frames_come_back_as_they_went(scratch: Engine, given_rows: list[tuple[Any, ...]]) -> None:
    numbered = [(number, *row) for number, row in enumerate(given_rows)]
    columns = list(KINDS.columns)
    frame = pd.DataFrame(numbered, columns=KINDS.columns.keys(), dtype=object)
    back = copied(scratch, columns, encode_frame(columns, frame))
    assert back == [tuple(map(cleaned, row)) for row in numbered]


@given(json_values)
def test_json_text_and_bytes_are_taken_as_they_are(scratch: Engine, value: Any) -> None:
    text = json.dumps(value)
    for given_json in (text, text.encode(), msgspec.Raw(text.encode())):
        assert one(scratch, "json", given_json) == cleaned(value)


def test_json_may_be_pretty(scratch: Engine) -> None:
    text = json.dumps({"a": ["b\n\t\\", None]}, indent=2)
    assert one(scratch, "json", text) == {"a": ["b\n\t\\", None]}


def test_the_empty_text_is_not_null(scratch: Engine) -> None:
    assert one(scratch, "words", "") == ""
    assert one(scratch, "words", None) is None
    assert one(scratch, "words", r"\N") == r"\N"
    assert one(scratch, "words", "\\.") == "\\."


@pytest.mark.parametrize("null", [None, float("nan"), np.float64("nan"), pd.NaT, pd.NA])
@pytest.mark.parametrize("name", [column.name for column in KINDS.columns])
def test_each_null_of_pandas_is_null(scratch: Engine, name: str, null: object) -> None:
    assert one(scratch, name, null) is None


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("small", 3.0, 3),
        ("small", np.int64(3), 3),
        ("big", np.float64(2**40), 2**40),
        ("real", 3, 3.0),
        ("real", np.float32(0.5), 0.5),
        ("real", float("inf"), float("inf")),
        ("flag", np.True_, True),
        ("list", ("a", "b"), ["a", "b"]),
        ("list", np.array(["a"]), ["a"]),
        ("list", [], []),
        ("json", [1, None], [1, None]),
        ("json", True, True),
    ],
)
def test_near_relatives_are_taken(
    scratch: Engine, name: str, value: object, stored: object
) -> None:
    assert one(scratch, name, value) == stored


def test_frames_with_typed_columns(scratch: Engine) -> None:
    moments_ = pd.to_datetime(["2024-01-05T23:30:00-05:00", "NaT"], utc=True)
    frame = pd.DataFrame(
        {
            "position": [0, 1],
            "words": pd.Series(["á", None], dtype="string"),
            "small": [1.0, None],
            "big": pd.Series([2**40, None], dtype="Int64"),
            "flag": pd.Series([True, None], dtype="boolean"),
            "day": pd.to_datetime(["2024-01-05", "NaT"]),
            "moment": moments_.tz_convert("America/Lima"),
        }
    )
    columns = [KINDS.c[name] for name in frame.columns]
    back = copied(scratch, columns, encode_frame(columns, frame))
    moment = datetime(2024, 1, 6, 4, 30, tzinfo=timezone.utc)
    assert back == [
        (0, "á", 1, 2**40, True, date(2024, 1, 5), moment),
        (1, None, None, None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("words", 5),
        ("words", b"bytes"),
        ("small", "5"),
        ("small", 1.5),
        ("small", True),
        ("big", float("inf")),
        ("real", "1.5"),
        ("flag", "true"),
        ("flag", 2),
        ("day", "2024-01-05"),
        ("day", datetime(2024, 1, 5, tzinfo=timezone.utc)),
        ("moment", date(2024, 1, 5)),
        ("moment", datetime(2024, 1, 5)),  # noqa: DTZ001 - without a zone, that is the point
        ("moment", "2024-01-05T00:00:00Z"),
        ("list", "abc"),
        ("list", [1]),
        ("json", {1, 2}),
        ("json", {"a": float("nan")}),
    ],
)
def test_what_does_not_fit_is_refused_without_showing_it(name: str, value: object) -> None:
    with pytest.raises(CannotEncode) as caught:
        list(encode_rows([KINDS.c[name]], [(value,)]))
    assert f"kinds.{name}" in str(caught.value)
    assert type(value).__name__ in str(caught.value)
    assert str(value) not in str(caught.value)


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(CannotEncode, match="2 values"):
        list(encode_rows([KINDS.c.words, KINDS.c.small], [("a", 1), ("b",)]))


def test_rows_are_taken_as_they_are_needed() -> None:
    taken = 0

    def endless() -> Iterator[tuple[str]]:
        nonlocal taken
        while True:
            taken += 1
            yield ("x" * 100,)

    chunks = encode_rows([KINDS.c.words], endless())
    next(chunks)
    assert taken <= 1000


def test_the_driver_is_not_needed_to_write_what_is_read(scratch: Engine) -> None:
    """The same row through the driver's own parameters and through COPY."""
    value = {"k\\": ['"', "\t", None, 1.5]}
    with scratch.begin() as connection:
        connection.execute(delete(KINDS))
        connection.execute(insert(KINDS).values(json=value))
        by_parameters = connection.scalar(select(KINDS.c.json))
    assert one(scratch, "json", value) == by_parameters
