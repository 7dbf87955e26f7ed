"""The rows of a day on their way to a table, and what became of them there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table

from audio_extract_dagster.errors import Never


class WrongRows(Never):
    """The rows given for a day cannot be its rows."""


@dataclass(frozen=True)
class DayRows:
    """A stream of a day's rows together with what it says of itself."""

    columns: Sequence[str]
    rows: Iterator[Sequence[object]]
    """Each in the order of `columns`; `copy_text.encode_rows` tells what a value may be."""
    counts: Callable[[], Mapping[str, object]] = dict
    """The stream's accounting, asked for once, after the last row and before the day is touched.

    Empty counts are not written. What it raises is raised, and the day stays as it was.
    """


@dataclass(frozen=True)
class DayWritten:
    """What `replace_day` did: the day now has `row_count + kept` rows."""

    row_count: int
    """Rows given."""
    kept: int
    """Rows that were not given and stay, because their call has audio records."""
    counts: Mapping[str, object]
    """The stream's accounting."""


def columns_named(table: Table, names: Sequence[str]) -> list[Column[Any]]:
    """The columns of `table` with these names; raises `WrongRows` for a name that it lacks."""
    unknown = [str(name) for name in names if name not in table.columns]
    if unknown:
        raise WrongRows(f"{table.name} has no column {', '.join(unknown)}.")
    return [table.columns[name] for name in names]
