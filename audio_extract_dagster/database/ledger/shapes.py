"""The shape of a day: when the calls came, what became of the recordings, how long they are.

Read only, and three small statements however long the day was.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, text

from audio_extract_dagster.model import DayShape, RecordStatus

_BY_HOUR = text("""
    SELECT extract(hour FROM conversation_start AT TIME ZONE :zone)::int AS hour, count(*)
      FROM agent_calls
     WHERE call_date = :day
     GROUP BY hour
""")
_BY_STATUS = text("""
    SELECT status, count(*) FROM audio_records WHERE call_date = :day GROUP BY status
""")
# Minute by minute; everything from half an hour on is one bar.
_BY_MINUTE = text("""
    SELECT least(floor(duration_seconds / 60), :longest)::int AS minutes, count(*)
      FROM audio_records
     WHERE call_date = :day AND status = 'STORED' AND duration_seconds IS NOT NULL
     GROUP BY minutes
""")
LONGEST_MINUTES = 30


def day_shape(connection: Connection, call_date: date, zone: str) -> DayShape:
    """The shape of the day; hours are those of the time zone `zone`."""
    day = {"day": call_date}
    statuses = {RecordStatus(s): int(n) for s, n in connection.execute(_BY_STATUS, day)}
    minutes = {
        int(m): int(n)
        for m, n in connection.execute(_BY_MINUTE, {**day, "longest": LONGEST_MINUTES})
    }
    return DayShape(
        calls_by_hour=calls_by_hour(connection, call_date, zone),
        records_by_status={status: statuses.get(status, 0) for status in RecordStatus},
        recordings_by_minutes=tuple(minutes.get(n, 0) for n in range(LONGEST_MINUTES + 1)),
    )


def calls_by_hour(connection: Connection, call_date: date, zone: str) -> tuple[int, ...]:
    """The agent calls of each of the 24 hours of the time zone `zone`."""
    rows = connection.execute(_BY_HOUR, {"day": call_date, "zone": zone})
    hours = {int(hour): int(calls) for hour, calls in rows}
    return tuple(hours.get(hour, 0) for hour in range(24))
