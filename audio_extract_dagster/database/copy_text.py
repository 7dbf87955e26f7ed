r"""Rows as PostgreSQL's COPY text: columns by tabs, rows by newlines, NULL as `\N`.

The format is PostgreSQL's (manual, "COPY", "Text Format"). Values are encoded a column at a time
over some hundred rows, several times quicker than a value at a time. What PostgreSQL cannot store
is replaced as `storable.py` says. Nothing here talks to a database.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

import msgspec
import pandas as pd
from sqlalchemy import Boolean, Column, Date, DateTime, Double, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

from audio_extract_dagster.database.storable import clean_json, clean_text, to_json
from audio_extract_dagster.errors import Never

NULL = r"\N"

# With payloads of 10 kB a chunk of a stream is 5 MB. A frame is in memory already, and taking a
# slice of one costs as much as a hundred rows.
_ROWS_PER_CHUNK = 500
_FRAME_ROWS_PER_CHUNK = 5000

_EncodeColumn = Callable[[Sequence[Any]], Iterable[str]]


class CannotEncode(Never):
    """A row or a value does not fit its table. The message names the column, never the value."""


def encode_rows(
    columns: Sequence[Column[Any]], rows: Iterable[Sequence[object]]
) -> Iterator[bytes]:
    """COPY text of `rows`, whose values stand in the order of `columns`, in chunks of whole rows.

    None, and pandas' NaN, NaT and NA, are NULL. Integers, floats, booleans, dates, aware datetimes
    and text go into columns of their kind only; sequences of text into `text[]`; into `jsonb` any
    object, or JSON that already is text or bytes. Raises `CannotEncode`.
    """
    rows = iter(rows)
    while chunk := list(islice(rows, _ROWS_PER_CHUNK)):
        if any(len(row) != len(columns) for row in chunk):
            raise CannotEncode(f"A row does not have {len(columns)} values, one for each column.")
        yield _encode_chunk(columns, list(zip(*chunk, strict=True)))


def encode_frame(columns: Sequence[Column[Any]], frame: pd.DataFrame) -> Iterator[bytes]:
    """COPY text of a DataFrame that has `columns`, otherwise as `encode_rows`."""
    for start in range(0, len(frame), _FRAME_ROWS_PER_CHUNK):
        part = frame.iloc[start : start + _FRAME_ROWS_PER_CHUNK]
        yield _encode_chunk(columns, [_series_values(part[c.name], c) for c in columns])


def _encode_chunk(columns: Sequence[Column[Any]], values: Sequence[Sequence[Any]]) -> bytes:
    fields = map(_encode_column, columns, values)
    lines = "\n".join(map("\t".join, zip(*fields, strict=True)))
    return clean_text(lines + "\n").encode()


def _encode_column(column: Column[Any], values: Sequence[Any]) -> Iterable[str]:
    encode = next(encode for kind, encode in _ENCODERS if isinstance(column.type, kind))
    try:
        return encode(values)
    except _MISFITS:
        # Rare, so looked for only now: nulls that are not None.
        values = [None if _is_null(value) else value for value in values]
    for value in values:
        try:
            list(encode([value]))
        except _MISFITS:
            raise CannotEncode(
                f"{column.table.name}.{column.name}: a value of type {type(value).__name__} does "
                f"not fit a column of type {column.type} (a datetime needs a time zone)."
            ) from None
    return encode(values)


_MISFITS = (TypeError, ValueError, KeyError, AttributeError, ArithmeticError)


def _is_null(value: object) -> bool:
    return (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or (isinstance(value, float) and math.isnan(value))
    )


def _series_values(series: pd.Series[Any], column: Column[Any]) -> Sequence[Any]:
    if isinstance(column.type, Date) and pd.api.types.is_datetime64_dtype(series.dtype):
        series = series.dt.date
    elif isinstance(series.dtype, pd.DatetimeTZDtype):
        series = pd.Series(pd.DatetimeIndex(series).to_pydatetime(), dtype=object)
    values: list[Any] = series.tolist()
    nulls = series.isna()
    if nulls.any():
        values = [None if null else value for value, null in zip(values, nulls, strict=True)]
    return values


def _each(encode: Callable[[Any], str]) -> _EncodeColumn:
    """A column's encoder from that of one value, which refuses what it does not know."""
    return lambda values: [NULL if value is None else encode(value) for value in values]


def _each_distinct(encode: Callable[[Any], str]) -> _EncodeColumn:
    """The same for columns of few values: a day's rows have one date."""

    def encode_column(values: Sequence[Any]) -> Iterable[str]:
        texts = {value: NULL if value is None else encode(value) for value in set(values)}
        return [texts[value] for value in values]

    return encode_column


def _texts(values: Sequence[Any]) -> Iterable[str]:
    if _SPECIAL.search("".join([value for value in values if value is not None])):
        return [NULL if value is None else _escape(value) for value in values]
    return [NULL if value is None else value for value in values]


_SPECIAL = re.compile(r"[\\\t\n\r]")


def _escape(value: str) -> str:
    if not _SPECIAL.search(value):
        return value
    value = value.replace("\\", r"\\").replace("\t", r"\t")
    return value.replace("\n", r"\n").replace("\r", r"\r")


def _integers(values: Sequence[Any]) -> Iterable[str]:
    if set(map(type, values)) == {int}:
        return map(str, values)
    return [NULL if value is None else _integer(value) for value in values]


def _integer(value: Any) -> str:
    # pandas keeps whole numbers that may be NULL as floats.
    whole = int(value)
    if whole != value or isinstance(value, bool):
        raise ValueError
    return str(whole)


def _double(value: Any) -> str:
    if math.isnan(value):
        raise ValueError
    return repr(float(value))


def _date(value: Any) -> str:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise TypeError
    return value.isoformat()


def _moment(value: Any) -> str:
    if value.tzinfo is None:
        raise ValueError
    text: str = value.isoformat()
    return text


def _array(value: Any) -> str:
    if isinstance(value, (str, bytes, dict)):
        raise TypeError
    return _escape("{" + ",".join(map(_element, value)) + "}")


def _element(value: str | None) -> str:
    if value is None:
        return "NULL"
    if "\\" in value or '"' in value:
        value = value.replace("\\", r"\\").replace('"', r"\"")
    return f'"{value}"'


def _json(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview | msgspec.Raw):
        value = str(value, "utf-8", "replace")
    return _escape(clean_json(value) if isinstance(value, str) else to_json(value))


_ENCODERS: Sequence[tuple[type[TypeEngine[Any]], _EncodeColumn]] = (
    (Text, _texts),
    (Integer, _integers),
    (Double, _each(_double)),
    (Boolean, _each({True: "t", False: "f"}.__getitem__)),
    (Date, _each_distinct(_date)),
    (DateTime, _each(_moment)),
    (ARRAY, _each(_array)),
    (JSONB, _each(_json)),
)
