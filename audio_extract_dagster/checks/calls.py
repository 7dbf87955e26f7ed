"""Checks of `agent_calls`: do the calls and the excluded make up the day, and is it usual?"""

from __future__ import annotations

from datetime import timedelta
from statistics import median

from sqlalchemy import text

from audio_extract_dagster.checks.rule import DayToCheck, Found
from audio_extract_dagster.database.ledger import accounts

WEEKS = 4
# Contact centres vary; half or twice the usual is worth a look.
_FEWEST, _MOST = 0.5, 2.0
_CALLS = text("SELECT call_date, agent_calls FROM daily_report WHERE call_date = ANY(:days)")


def calls_add_up(checked: DayToCheck) -> Found:
    """Conversations = agent calls + excluded."""
    counts = accounts.count_day(checked.connection, checked.day)
    numbers = {
        "conversations": counts.conversations,
        "agent_calls": counts.agent_calls,
        "excluded": counts.excluded,
    }
    if counts.conversations == counts.agent_calls + counts.excluded:
        return Found((), numbers)
    words = " + ".join(f"{numbers[name]} {name}" for name in ("agent_calls", "excluded"))
    return Found([f"{counts.conversations} conversations are not {words}"], numbers)


def volume_is_usual(checked: DayToCheck) -> Found:
    """Between half and twice as many agent calls as on the same weekday of the last four weeks."""
    today = accounts.count_day(checked.connection, checked.day).agent_calls
    days = [checked.day - timedelta(weeks=n) for n in range(1, WEEKS + 1)]
    rows = checked.connection.execute(_CALLS, {"days": days})
    earlier = [row.agent_calls for row in rows if row.agent_calls]
    # One day says nothing about what is usual.
    if len(earlier) < 2:
        return Found((), {"agent_calls": today, "weeks_compared": len(earlier)})
    usual = median(earlier)
    numbers = {"agent_calls": today, "usual": usual, "weeks_compared": len(earlier)}
    if _FEWEST * usual <= today <= _MOST * usual:
        return Found((), numbers)
    return Found([f"{today} agent calls, usual are {usual:g} on this weekday"], numbers)
