"""Checks of `audio_records`: has every call its record and every record its file?"""

from __future__ import annotations

import sys
from datetime import timedelta

from sqlalchemy import text

from audio_extract_dagster.checks.rule import DayToCheck, Found, rows_named
from audio_extract_dagster.database.ledger import accounts, inventory
from audio_extract_dagster.model import Reason
from audio_extract_dagster.storage import day_prefix

# What is open longer than this has outlived several askings.
OPEN_TOO_LONG = timedelta(days=3)
# A recording may start before the call is counted and end after it; pauses for security shorten it.
_LONGER_SECONDS, _SHORTEST_SHARE, _SHORT_TALK_SECONDS = 60.0, 0.5, 30.0
# Some recordings are deleted soon, by their policy. That many are, or are not shown to us.
_FEWEST_LOST, _LOST_SHARE = 5, 0.2
_NO_MORE = (chr(sys.maxunicode), 0)  # as a file and its size: after every URI

_IMPLAUSIBLE = text("""
    SELECT r.conversation_id || '/' || r.recording_id
      FROM (SELECT conversation_id, recording_id, sum(duration_seconds) AS seconds
              FROM audio_records
             WHERE call_date = :day AND status = 'STORED' AND duration_seconds IS NOT NULL
             GROUP BY conversation_id, recording_id) r
      JOIN agent_calls c USING (conversation_id)
     WHERE r.seconds > extract(epoch FROM c.ended_at - c.conversation_start) + :longer
        OR (c.talk_ms / 1000.0 > :short_talk
            AND (SELECT bool_and(o.duration_seconds IS NOT NULL) -- all of it is there
                        AND sum(o.duration_seconds) < :share * c.talk_ms / 1000.0
                   FROM audio_records o
                  WHERE o.conversation_id = r.conversation_id))
     ORDER BY 1
""")
_WITHOUT_RECORDING = text("""
    SELECT conversation_id, bool_and(coalesce(r.reason, '') = ANY(:reasons)) AS without_any
      FROM agent_calls c
      JOIN audio_records r USING (conversation_id)
     WHERE c.call_date = :day AND c.answered AND c.recording_sessions > 0
     GROUP BY conversation_id
     ORDER BY conversation_id
""")
_OPEN_TOO_LONG = text("""
    SELECT conversation_id || CASE recording_id WHEN '' THEN '' ELSE '/' || recording_id END
      FROM audio_records r
      JOIN agent_calls c USING (conversation_id)
     WHERE r.call_date = :day
       AND (status = 'FAILED' OR status = 'PENDING' AND c.ended_at IS NOT NULL)
       AND first_requested_at < :before
     ORDER BY 1
""")


def calls_have_records(checked: DayToCheck) -> Found:
    """Every agent call has at least one record, with a reason if it is not stored."""
    ids = accounts.calls_without_record(checked.connection, checked.day)
    return Found(rows_named("agent calls have no record", ids), {"without_record": len(ids)})


def stored_files_exist(checked: DayToCheck) -> Found:
    """Every stored file is in the storage, with the size in its row."""
    found = (
        (checked.storage.uri(key), size)
        for key, size in checked.storage.list(day_prefix(checked.day))
    )
    files, missing, other = 0, [], []
    # Both come in the order of the URIs, so that a long day is compared and never held.
    uri, size = next(found, _NO_MORE)
    for row in inventory.stored_files(checked.connection, checked.day):
        files += 1
        while uri < row.uri:
            uri, size = next(found, _NO_MORE)
        if uri != row.uri:
            missing.append(row.uri)
        elif size != row.size_bytes:
            other.append(row.uri)
    problems = rows_named("stored files are gone", missing)
    problems += rows_named("stored files have another size", other)
    return Found(problems, {"files": files, "gone": len(missing), "other_size": len(other)})


def recorded_calls_have_recordings(checked: DayToCheck) -> Found:
    """Genesys lists the recordings of four fifths of the calls that say they were recorded."""
    reasons = [Reason.NOT_RECORDED.code, Reason.WITHDRAWN.code]
    calls = {"day": checked.day, "reasons": reasons}
    recorded = checked.connection.execute(_WITHOUT_RECORDING, calls).all()
    ids = [row.conversation_id for row in recorded if row.without_any]
    numbers = {"recorded": len(recorded), "without_recording": len(ids)}
    if len(ids) < _FEWEST_LOST or len(ids) <= _LOST_SHARE * len(recorded):
        return Found((), numbers)
    what = f"of {len(recorded)} calls that say they were recorded have no recording"
    return Found(rows_named(what, ids), numbers)


def durations_agree(checked: DayToCheck) -> Found:
    """No audio is longer than its call, or shorter than half of its talk time."""
    bounds = {
        "day": checked.day,
        "longer": _LONGER_SECONDS,
        "share": _SHORTEST_SHARE,
        "short_talk": _SHORT_TALK_SECONDS,
    }
    ids = list(checked.connection.execute(_IMPLAUSIBLE, bounds).scalars())
    return Found(rows_named("recordings do not fit their call", ids), {"implausible": len(ids)})


def nothing_open_too_long(checked: DayToCheck) -> Found:
    """No recording is failed, or pending though its call has ended, for more than three days."""
    before = {"day": checked.day, "before": checked.now - OPEN_TOO_LONG}
    ids = list(checked.connection.execute(_OPEN_TOO_LONG, before).scalars())
    return Found(rows_named("recordings are open for days", ids), {"open_too_long": len(ids)})
