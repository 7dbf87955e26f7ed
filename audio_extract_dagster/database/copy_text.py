r"""Rows as PostgreSQL's COPY text: columns by tabs, rows by newlines, NULL as `\N`.

The format is PostgreSQL's (manual, "COPY", "Text Format"). Values are encoded a column at a time
over some hundred rows, several times quicker than a value at a time. What PostgreSQL cannot store
is replaced as `storable.py` says. Nothing here talks to a database.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Boolean, Column, Date, DateTime, Double, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

from audio_extract_dagster.database.storable import clean_json, clean_text, to_json
from audio_extract_dagster.errors import Never

if TYPE_CHECKING:
    # Costs a third of a second, and who has no frame does not need it.
    import pandas as pd

NULL = r"\N"

# With payloads of 10 kB a chunk of a stream is 5 MB. A frame is in memory already, and taking a
# slice of one costs as much as a hundred rows.
_ROWS_PER_CHUNK = 500
_FRAME_ROWS_PER_CHUNK = 5000

_EncodeColumn = Callable[[Sequence[Any]], Sequence[str]]
"""From values that are not null to their fields."""


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
        yield _lines(map(_encode_column, columns, zip(*chunk, strict=True)))


def encode_frame(columns: Sequence[Column[Any]], frame: pd.DataFrame) -> Iterator[bytes]:
    """COPY text of a DataFrame that has `columns`, otherwise as `encode_rows`."""
    for start in range(0, len(frame), _FRAME_ROWS_PER_CHUNK):
        part = frame.iloc[start : start + _FRAME_ROWS_PER_CHUNK]
        yield _lines(_encode_series(column, part[column.name]) for column in columns)


def _lines(fields: Iterable[Sequence[str]]) -> bytes:
    """Rows from the fields of each column."""
    lines = "\n".join(map("\t".join, zip(*fields, strict=True))) + "\n"
    try:
        return lines.encode()
    except UnicodeEncodeError:
        return clean_text(lines).encode()


def _encode_column(column: Column[Any], values: Sequence[Any]) -> Sequence[str]:
    encode = next(encode for kind, encode in _ENCODERS if isinstance(column.type, kind))
    try:
        return _with_nulls(encode, values)
    except _MISFITS:
        # Rare, so looked for only now: nulls that are not None.
        values = [None if _is_null(value) else value for value in values]
    for value in values:
        try:
            _with_nulls(encode, [value])
        except _MISFITS:
            raise CannotEncode(
                f"{column.table.name}.{column.name}: a value of type {type(value).__name__} does "
                f"not fit a column of type {column.type} (a datetime needs a time zone)."
            ) from None
    return _with_nulls(encode, values)


_MISFITS = (TypeError, ValueError, KeyError, AttributeError, ArithmeticError)


def _with_nulls(encode: _EncodeColumn, values: Sequence[Any]) -> Sequence[str]:
    present = [value for value in values if value is not None]
    if not present:
        return [NULL] * len(values)
    fields = encode(present)
    if len(present) == len(values):
        return fields
    remaining = iter(fields)
    return [NULL if value is None else next(remaining) for value in values]


def _is_null(value: object) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    # What pandas calls the types of NaT and NA.
    return value is None or type(value).__name__ in ("NaTType", "NAType")


def _encode_series(column: Column[Any], series: pd.Series[Any]) -> Sequence[str]:
    dtype = str(series.dtype)
    if dtype.startswith("datetime64["):
        if isinstance(column.type, DateTime) and "," in dtype:  # with a time zone
            return _encode_moments(series)
        if isinstance(column.type, Date):
            series = series.dt.date
    whole: Any = series  # whose stubs do not allow None
    return _encode_column(column, whole.to_numpy(dtype=object, na_value=None).tolist())


def _encode_moments(series: pd.Series[Any]) -> Sequence[str]:
    """All at once: making a Python datetime of each costs five times as much."""
    from numpy import datetime_as_string  # noqa: PLC0415 - comes with pandas

    moments = series.dt.tz_convert(None).to_numpy()
    texts: list[str] = datetime_as_string(moments, timezone="UTC").tolist()
    return [NULL if text == "NaT" else text for text in texts] if "NaT" in texts else texts


def _each(encode: Callable[[Any], str]) -> _EncodeColumn:
    """A column's encoder from that of one value, which refuses what it does not know."""
    return lambda values: [encode(value) for value in values]


def _each_distinct(encode: Callable[[Any], str]) -> _EncodeColumn:
    """The same for columns of few values: a day's rows have one date."""

    def encode_column(values: Sequence[Any]) -> Sequence[str]:
        texts = {value: encode(value) for value in set(values)}
        return [texts[value] for value in values]

    return encode_column


def _texts(values: Sequence[str], clean: Callable[[str], str] = str) -> Sequence[str]:
    """Escapes all values in one go, with NUL between them, which no text can hold."""
    together = "\0".join(values)
    if together.count("\0") >= len(values):
        together = "\0".join(map(clean_text, values))
    together = clean(together).replace("\\", r"\\").replace("\t", r"\t")
    return together.replace("\n", r"\n").replace("\r", r"\r").split("\0")


_PLAIN = msgspec.json.Encoder()


def _integers(values: Sequence[Any]) -> Sequence[str]:
    if set(map(type, values)) == {int}:
        # All at once: half of what it costs one by one.
        return _PLAIN.encode(values)[1:-1].decode().split(",")
    return [_integer(value) for value in values]


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


def _moments(values: Sequence[Any]) -> Sequence[str]:
    zones = [value.tzinfo for value in values]
    if zones.count(timezone.utc) == len(zones):
        # All at once: a tenth of what it costs one by one.
        return _MOMENTS.encode(values)[2:-2].decode().split('","')
    if None in zones:
        raise ValueError
    return [value.isoformat() for value in values]


# For pandas' own kind of datetime, which msgspec does not know.
_MOMENTS = msgspec.json.Encoder(enc_hook=datetime.isoformat)


def _arrays(values: Sequence[Any]) -> Sequence[str]:
    return _texts([_array(value) for value in values])


def _array(value: Any) -> str:
    if isinstance(value, (str, bytes, dict)):
        raise TypeError
    return "{" + ",".join(map(_element, value)) + "}"


def _element(value: str | None) -> str:
    if value is None:
        return "NULL"
    if "\\" in value or '"' in value:
        value = value.replace("\\", r"\\").replace('"', r"\"")
    return f'"{value}"'


def _jsons(values: Sequence[Any]) -> Sequence[str]:
    if set(map(type, values)) <= {dict, list}:
        # `to_json`, below, takes more, and tells what is wrong.
        with suppress(*_MISFITS, RecursionError):
            lines = _PLAIN.encode_lines(values).decode()
            if "null" not in lines:  # which is what msgspec makes of NaN, too
                return clean_json(lines).replace("\\", r"\\").split("\n")[:-1]
    return _texts([_json(value) for value in values], clean_json)


def _json(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview | msgspec.Raw):
        return str(value, "utf-8", "replace")
    return value if isinstance(value, str) else to_json(value)


_ENCODERS: Sequence[tuple[type[TypeEngine[Any]], _EncodeColumn]] = (
    (Text, _texts),
    (Integer, _integers),
    (Double, _each(_double)),
    (Boolean, _each({True: "t", False: "f"}.__getitem__)),
    (Date, _each_distinct(_date)),
    (DateTime, _moments),
    (ARRAY, _arrays),
    (JSONB, _jsons),
)
