r"""A DataFrame from PostgreSQL's COPY text: columns by tabs, rows by newlines, NULL as `\N`.

The other direction is `copy_text.py`. Text is decoded a column at a time over some thousand rows,
while the server sends the next ones: seven times quicker than a row at a time through the driver,
and a DataFrame needs no row. Nothing here talks to a database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Double,
    Integer,
    Select,
    Text,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

from audio_extract_dagster.database.copy_text import NULL

_ROWS_AT_ONCE = 5000

_DecodeColumn = Callable[[Sequence[str | None]], Any]
"""From the fields of a column, None for NULL, to what a Series can be made of."""


def readable(columns: Sequence[Column[Any]]) -> Select[Any]:
    """A query of `columns` whose COPY text `FrameFile` can read: lists come as JSON."""
    chosen: list[ColumnElement[Any]] = [
        func.to_json(column).label(column.name) if isinstance(column.type, ARRAY) else column
        for column in columns
    ]
    return select(*chosen)


class FrameFile:
    """The file that the driver writes the rows of `readable(columns)` to, in UTC."""

    def __init__(self, columns: Sequence[Column[Any]]) -> None:
        self._columns = columns
        self._lines: list[bytes] = []
        self._frames: list[pd.DataFrame] = []

    def write(self, line: bytes) -> None:
        """Take one row."""
        self._lines.append(line)
        if len(self._lines) >= _ROWS_AT_ONCE:
            self._decode()

    def frame(self) -> pd.DataFrame:
        """Everything that was written, typed also when that is nothing."""
        if self._lines or not self._frames:
            self._decode()
        together: pd.DataFrame = pd.concat(self._frames, ignore_index=True)
        return together

    def _decode(self) -> None:
        lines = b"".join(self._lines).decode().split("\n")[:-1]
        self._lines.clear()
        rows = [line.split("\t") for line in lines]
        fields = zip(*rows, strict=True) if rows else ((),) * len(self._columns)
        self._frames.append(
            pd.DataFrame(
                {
                    column.name: _decode_column(column, of_column)
                    for column, of_column in zip(self._columns, fields, strict=True)
                }
            )
        )


def _decode_column(column: Column[Any], fields: Sequence[str]) -> pd.Series[Any]:
    dtype, decode = next(
        (dtype, decode) for kind, dtype, decode in _DECODERS if isinstance(column.type, kind)
    )
    values: Sequence[str | None] = fields
    if NULL in fields:
        values = [None if field == NULL else field for field in fields]
    series: pd.Series[Any] = pd.Series(decode(values), dtype=dtype)
    return series


def _texts(values: Sequence[str | None]) -> list[str | None]:
    return [_unescaped(value) if value and "\\" in value else value for value in values]


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: _MEANS.get(found[1], found[1]), text)


_ESCAPE = re.compile(r"\\(.)")
_MEANS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _each(decode: Callable[[str], Any]) -> _DecodeColumn:
    return lambda values: [None if value is None else decode(value) for value in values]


def _moments(values: Sequence[str | None]) -> Any:
    # Sessions are in UTC, so that each text ends in "+00".
    texts = ["NaT" if value is None else value[:-3] for value in values]
    return pd.DatetimeIndex(np.array(texts, dtype="datetime64[us]"), tz="UTC")


def _dates(values: Sequence[str | None]) -> list[date | None]:
    known = {value: date.fromisoformat(value) if value else None for value in set(values)}
    return [known[value] for value in values]


_DECODERS: Sequence[tuple[type[TypeEngine[Any]], str, _DecodeColumn]] = (
    (Text, "string", _texts),
    (Integer, "Int64", _each(int)),
    (Double, "Float64", _each(float)),
    (Boolean, "boolean", _each({"t": True, "f": False}.__getitem__)),
    (Date, "object", _dates),
    (DateTime, "datetime64[us, UTC]", _moments),
    (ARRAY, "object", lambda values: _each(msgspec.json.decode)(_texts(values))),
    (JSONB, "object", _texts),
)
