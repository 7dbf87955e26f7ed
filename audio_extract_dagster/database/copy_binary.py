"""A DataFrame from PostgreSQL's binary COPY, a column of some thousand rows at a time.

The format is PostgreSQL's (manual, "COPY", "Binary Format"): a row is the number of its fields,
then each field's length, -1 for NULL, and its bytes; numbers are big-endian. The server sends each
row as a message of its own, so where rows begin is known, and numpy finds the fields of a column
behind those of the column before. The other direction is `copy_text.py`. Nothing here talks to a
database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Double,
    Integer,
    Select,
    Text,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

_HEADER_BYTES = 19
_END = b"\xff\xff"  # where a row has the number of its fields
# These stay in the processor's cache; with ten times as many, decoding takes half as long again.
_ROWS_AT_ONCE = 2500

_Array: TypeAlias = npt.NDArray[Any]


def readable(columns: Sequence[Column[Any]]) -> Select[Any]:
    """A query of `columns` whose rows `FrameFile` can read: lists and objects as JSON text."""
    return select(*map(_readable, columns))


def _readable(column: Column[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, ARRAY):
        return cast(func.to_json(column), Text)
    if isinstance(column.type, JSONB):
        return cast(column, Text)
    return cast(column, BigInteger) if isinstance(column.type, Integer) else column


class FrameFile:
    """The file that the driver writes the rows of `readable(columns)` to."""

    def __init__(self, columns: Sequence[Column[Any]]) -> None:
        self._columns = [_Column(column) for column in columns]
        self._rows: list[bytes] = []
        self._begun = False

    def write(self, data: bytes) -> None:
        """Take a message of the server: a row, the first one behind the header, or the end."""
        if not self._begun:
            data, self._begun = data[_HEADER_BYTES:], True
        if data and data != _END:
            self._rows.append(data)
        if len(self._rows) == _ROWS_AT_ONCE:
            self._decode()

    def frame(self) -> pd.DataFrame:
        """Everything that was written, typed also when that is nothing."""
        self._decode()
        whole: dict[str, Any] = {column.name: column.whole() for column in self._columns}
        frame: pd.DataFrame = pd.DataFrame(whole, copy=False)
        return frame

    def _decode(self) -> None:
        sizes = np.fromiter(map(len, self._rows), np.int64, len(self._rows))
        # The value of a NULL at the very end is read, too, before it is thrown away.
        data = b"".join([*self._rows, bytes(8)])
        self._rows.clear()
        at = np.cumsum(sizes) - sizes + 2
        for column in self._columns:
            at = column.take(data, at)


class _Fields(NamedTuple):
    """The fields of one column in the bytes of some rows; where there is a NULL, nothing."""

    data: bytes
    starts: _Array
    ends: _Array

    def numbers(self, dtype: str) -> _Array:
        """The fields as numbers of one width."""
        width = np.dtype(dtype).itemsize
        # A number at each byte, of which those at the starts are taken.
        anywhere: _Array = np.ndarray(len(self.data) - width + 1, dtype, self.data, strides=(1,))
        return anywhere[self.starts]

    def texts(self) -> _Array:
        """The fields as text: decoded all at once, with NUL between them, which no text holds."""
        spans = map(slice, self.starts.tolist(), self.ends.tolist())
        texts = b"\0".join(map(self.data.__getitem__, spans)).decode().split("\0")
        return np.array(texts[: len(self.starts)], dtype=object)  # no field makes one text, too


class _Kind(NamedTuple):
    """How the fields of a type are decoded, and what becomes of all of them and their nulls."""

    decode: Callable[[_Fields], _Array]
    finish: Callable[[_Array, _Array], Any]


class _Column:
    """A column while it grows."""

    def __init__(self, column: Column[Any]) -> None:
        self.name = column.name
        self._kind = next(kind for type_, kind in _KINDS if isinstance(column.type, type_))
        self._values: list[_Array] = []
        self._nulls: list[_Array] = []

    def take(self, data: bytes, at: _Array) -> _Array:
        """Decode the fields of some rows, which begin at these places; returns where they end."""
        lengths = _Fields(data, at, at).numbers(">i4")
        starts = at + 4
        ends = starts + np.maximum(lengths, 0)
        self._values.append(self._kind.decode(_Fields(data, starts, ends)))
        self._nulls.append(lengths < 0)
        return ends

    def whole(self) -> Any:
        """The column as pandas has it."""
        return self._kind.finish(np.concatenate(self._values), np.concatenate(self._nulls))


def _numbers(dtype: str) -> Callable[[_Fields], _Array]:
    return lambda fields: fields.numbers(dtype)


def _texts(values: _Array, nulls: _Array) -> Any:
    values[nulls] = pd.NA
    return pd.arrays.StringArray(values)


def _integers(values: _Array, nulls: _Array) -> Any:
    return pd.arrays.IntegerArray(values.astype(np.int64), nulls)


def _floats(values: _Array, nulls: _Array) -> Any:
    return pd.arrays.FloatingArray(values.astype(np.float64), nulls)


def _booleans(values: _Array, nulls: _Array) -> Any:
    return pd.arrays.BooleanArray(values == 1, nulls)


def _moments(values: _Array, nulls: _Array) -> Any:
    since_1970 = values.astype(np.int64) + np.datetime64("2000-01-01", "us").astype(np.int64)
    moments = since_1970.view("datetime64[us]")
    moments[nulls] = np.datetime64("NaT", "us")
    return pd.DatetimeIndex(moments, tz="UTC")


def _dates(values: _Array, nulls: _Array) -> Any:
    known = {days: date(2000, 1, 1) + timedelta(days) for days in set(values[~nulls].tolist())}
    return _objects(known.get, values, nulls)


def _json_texts(values: _Array, nulls: _Array) -> Any:
    return _objects(str, values, nulls)


def _lists(values: _Array, nulls: _Array) -> Any:
    return _objects(msgspec.json.decode, values, nulls)


def _objects(make: Callable[[Any], object], values: _Array, nulls: _Array) -> Any:
    objects = np.full(len(values), None, dtype=object)
    # Not from a list: of lists numpy would make dimensions.
    objects[~nulls] = np.fromiter(map(make, values[~nulls].tolist()), dtype=object)
    return pd.Series(objects, dtype=object)  # said, or pandas makes texts of texts


_KINDS: Sequence[tuple[type[TypeEngine[Any]], _Kind]] = (
    (Text, _Kind(_Fields.texts, _texts)),
    (Integer, _Kind(_numbers(">i8"), _integers)),
    (Double, _Kind(_numbers(">f8"), _floats)),
    (Boolean, _Kind(_numbers("u1"), _booleans)),
    (Date, _Kind(_numbers(">i4"), _dates)),
    (DateTime, _Kind(_numbers(">i8"), _moments)),
    (ARRAY, _Kind(_Fields.texts, _lists)),
    (JSONB, _Kind(_Fields.texts, _json_texts)),
)
