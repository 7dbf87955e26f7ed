"""What is forgotten when its time is over: which days have it, and the rows that say so.

The row says that audio goes before it goes, and names the file until it has gone: after a crash the
next pass finds what is left to delete. Files are not touched here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from audio_extract_dagster.model import Reason, RecordStatus

FORGOTTEN_PAYLOAD = "{}"
"""What is left of `conversations.payload`, as JSON text."""

_WORDS = {"stored": RecordStatus.STORED.value, "reason": Reason.RETENTION.code}
_DAYS = text(f"""
    SELECT DISTINCT call_date FROM audio_records
     WHERE call_date < :before AND (status = :stored OR reason = :reason AND uri IS NOT NULL)
     UNION
    SELECT DISTINCT call_date FROM conversations
     WHERE call_date < :before AND payload <> '{FORGOTTEN_PAYLOAD}'
     UNION
    SELECT DISTINCT call_date FROM agent_calls
     WHERE call_date < :before AND (ani IS NOT NULL OR dnis IS NOT NULL)
     ORDER BY call_date
""")  # noqa: S608 - made of words of the project
_FILES = text("""
    SELECT uri, size_bytes, status = :stored AS is_stored FROM audio_records
     WHERE call_date = :day AND (status = :stored OR reason = :reason AND uri IS NOT NULL)
     ORDER BY conversation_id, recording_id, part
""")
_MARK = text("""
    UPDATE audio_records SET status = :missing, reason = :reason, updated_at = :now
     WHERE call_date = :day AND status = :stored AND uri = ANY(:uris)
""")
_FORGET_FILES = text("""
    UPDATE audio_records SET uri = NULL
     WHERE call_date = :day AND reason = :reason AND uri = ANY(:uris)
""")
_FORGET_PAYLOADS = text(f"""
    UPDATE conversations SET payload = '{FORGOTTEN_PAYLOAD}'
     WHERE call_date = :day AND payload <> '{FORGOTTEN_PAYLOAD}'
""")  # noqa: S608 - made of words of the project
_FORGET_NUMBERS = text("""
    UPDATE agent_calls SET ani = NULL, dnis = NULL
     WHERE call_date = :day AND (ani IS NOT NULL OR dnis IS NOT NULL)
""")
# What came now would be deleted at once.
_EXPECT_NO_MORE = text("""
    UPDATE audio_records SET may_have_more = false WHERE call_date = :day AND may_have_more
""")
_EXPIRED = text("""
    SELECT conversation_id, recording_id FROM audio_records
     WHERE call_date = :day AND reason = :reason
""")


class File(NamedTuple):
    """A file that is to go, or was being deleted."""

    uri: str
    size_bytes: int
    is_stored: bool


def days_to_expire(connection: Connection, before: date) -> list[date]:
    """The days before `before` that still have audio, payloads or phone numbers, oldest first."""
    return list(connection.execute(_DAYS, {"before": before, **_WORDS}).scalars())


def files(connection: Connection, call_date: date) -> list[File]:
    """The files of the day that are stored, or were left by a pass that did not end."""
    found = connection.execute(_FILES, {"day": call_date, **_WORDS})
    return [File(**row._mapping) for row in found]


def mark(connection: Connection, call_date: date, uris: Sequence[str], now: datetime) -> None:
    """Say of these files that they go: `MISSING` for the reason `retention`, size and sum kept."""
    values = {"day": call_date, "uris": list(uris), "now": now, **_WORDS}
    connection.execute(_MARK, {**values, "missing": RecordStatus.MISSING.value})


def forget_files(connection: Connection, call_date: date, uris: Sequence[str]) -> None:
    """These files have gone."""
    reason = Reason.RETENTION.code
    connection.execute(_FORGET_FILES, {"day": call_date, "uris": list(uris), "reason": reason})


def forget_details(connection: Connection, call_date: date) -> int:
    """Empty the payloads of the day and drop its phone numbers; returns how many payloads."""
    payloads = connection.execute(_FORGET_PAYLOADS, {"day": call_date}).rowcount
    connection.execute(_FORGET_NUMBERS, {"day": call_date})
    connection.execute(_EXPECT_NO_MORE, {"day": call_date})
    return payloads


def expired_recordings(connection: Connection, call_date: date) -> set[tuple[str, str]]:
    """Conversation and recording ids of the audio of the day that was deleted for its age."""
    values = {"day": call_date, "reason": Reason.RETENTION.code}
    return {tuple(row) for row in connection.execute(_EXPIRED, values)}
