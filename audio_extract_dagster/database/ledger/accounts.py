"""The accounts of a day: its rows counted, so that the counts can be closed.

Read only. What the counts mean for the job is decided in `extraction/accounting.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from audio_extract_dagster.model import DayCounts, MeasuredDay, Reason, RecordStatus

_CALLS = text("""
    SELECT count(*) AS conversations,
           count(*) FILTER (WHERE NOT has_agent AND NOT EXISTS (
                SELECT FROM agent_calls a WHERE a.conversation_id = c.conversation_id)
           ) AS excluded,
           (SELECT count(*) FROM agent_calls WHERE call_date = :day) AS agent_calls,
           (SELECT count(*) FROM agent_calls a WHERE a.call_date = :day AND NOT EXISTS (
                SELECT FROM audio_records r WHERE r.conversation_id = a.conversation_id)
           ) AS unrequested,
           (SELECT coalesce(sum(ignored_count), 0) FROM audio_batches WHERE call_date = :day)
             AS ignored
      FROM conversations c
     WHERE call_date = :day
""")
_RECORDS = text("""
    SELECT status, reason, count(*) AS records,
           coalesce(sum(size_bytes) FILTER (WHERE status = 'STORED'), 0) AS bytes,
           coalesce(sum(duration_seconds) FILTER (WHERE status = 'STORED'), 0) / 60 AS minutes
      FROM audio_records
     WHERE call_date = :day
     GROUP BY status, reason
""")
_EXCLUDED = text("""
    SELECT excluded_reason AS reason, count(*) AS conversations
      FROM conversations c
     WHERE call_date = :day AND NOT has_agent AND NOT EXISTS (
                SELECT FROM agent_calls a WHERE a.conversation_id = c.conversation_id)
     GROUP BY excluded_reason
""")
_BATCHES = text("""
    SELECT status, count(*) AS batches, coalesce(sum(requested_count), 0) AS calls
      FROM audio_batches
     WHERE call_date = :day
     GROUP BY status
""")
_WITHOUT_RECORD = text("""
    SELECT conversation_id
      FROM agent_calls a
     WHERE call_date = :day
       AND NOT EXISTS (SELECT FROM audio_records r WHERE r.conversation_id = a.conversation_id)
     ORDER BY conversation_start, conversation_id
""")
_PROGRESS = text("""
    SELECT count(*) AS calls, count(*) FILTER (WHERE EXISTS (
             SELECT FROM audio_records r WHERE r.conversation_id = a.conversation_id)) AS answered
      FROM agent_calls a
     WHERE call_date = :day
""")
_MEASURED = text("""
    SELECT conversations, agent_calls, bytes, requests,
           (SELECT count(*) FROM extraction_jobs j
             WHERE j.call_date = d.call_date AND j.stage IN ('audio', 'daily_report')) AS listings,
           (SELECT count(*) FROM audio_batches b WHERE b.call_date = d.call_date) AS batches
      FROM daily_report d
     ORDER BY call_date DESC
     LIMIT 30
""")
_LISTING = text("""
    SELECT counts FROM day_counts WHERE asset = 'conversations' AND call_date = :day
""")


def count_day(connection: Connection, call_date: date) -> DayCounts:
    """The counts of the day as the tables stand now."""
    day = {"day": call_date}
    calls = connection.execute(_CALLS, day).one()
    records = dict.fromkeys(RecordStatus, 0)
    reasons: dict[str, int] = {}
    size, minutes = 0, 0.0
    for row in connection.execute(_RECORDS, day):
        records[RecordStatus(row.status)] += row.records
        size += int(row.bytes)
        minutes += float(row.minutes)
        if row.reason is not None:
            reasons[row.reason] = reasons.get(row.reason, 0) + row.records
    if calls.unrequested:
        reasons[Reason.NOT_REQUESTED.code] = calls.unrequested
    for row in connection.execute(_EXCLUDED, day):
        reasons[row.reason] = row.conversations
    return DayCounts(
        conversations=calls.conversations,
        agent_calls=calls.agent_calls,
        excluded=calls.excluded,
        stored=records[RecordStatus.STORED],
        pending=records[RecordStatus.PENDING] + calls.unrequested,
        missing=records[RecordStatus.MISSING],
        failed=records[RecordStatus.FAILED],
        ignored=int(calls.ignored),
        bytes=size,
        audio_minutes=round(minutes, 3),
        reasons=dict(sorted(reasons.items())),
    )


def batch_counts(connection: Connection, call_date: date) -> Mapping[str, int]:
    """How many batches of the day are in each state, and how many calls they asked for."""
    rows = connection.execute(_BATCHES, {"day": call_date}).all()
    by_state = {f"batches_{row.status.lower()}": int(row.batches) for row in rows}
    return {**by_state, "calls_requested": sum(int(row.calls) for row in rows)}


def calls_without_record(connection: Connection, call_date: date) -> list[str]:
    """The agent calls of the day that have no audio record at all."""
    return list(connection.execute(_WITHOUT_RECORD, {"day": call_date}).scalars())


def listing_counts(connection: Connection, call_date: date) -> Mapping[str, Any]:
    """What the last listing of the day said of itself; empty if there was none."""
    row = connection.execute(_LISTING, {"day": call_date}).one_or_none()
    return {} if row is None else row.counts


def measured_days(connection: Connection) -> list[MeasuredDay]:
    """What the latest extracted days came to, the newest first."""
    return [MeasuredDay(**row._mapping) for row in connection.execute(_MEASURED)]


def progress(connection: Connection, call_date: date) -> tuple[int, int]:
    """The agent calls of the day, and how many of them have a record by now."""
    row = connection.execute(_PROGRESS, {"day": call_date}).one()
    return int(row.calls), int(row.answered)
