"""The report of a day: its closed counts, what its runs have spent, and how it looks.

Read from the tables as they stand when it is asked for. How a day adds up is in `accounting.py`,
the picture in `reporting/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from audio_extract_dagster.database.day_tables import DayRows
from audio_extract_dagster.database.ledger import accounts, jobs, shapes
from audio_extract_dagster.model import DayCounts, DayShape, JobUsage


@dataclass(frozen=True)
class DayReport:
    """One day, as `daily_report` keeps it and as its picture shows it."""

    call_date: date
    counts: DayCounts
    usage: JobUsage
    shape: DayShape

    def figures(self) -> Mapping[str, Any]:
        """The counts, then what all runs of the day have spent, by the names of the columns."""
        return {**asdict(self.counts), **asdict(self.usage)}

    def as_day_rows(self) -> DayRows:
        """The one row of the day."""
        row = {"call_date": self.call_date, **self.figures()}
        return DayRows(list(row), iter([list(row.values())]))


def report_of(connection: Connection, call_date: date, timezone: str) -> DayReport:
    """The report of the day; its hours are those of `timezone`."""
    return DayReport(
        call_date,
        accounts.count_day(connection, call_date),
        jobs.day_usage(connection, call_date),
        shapes.day_shape(connection, call_date, timezone),
    )
