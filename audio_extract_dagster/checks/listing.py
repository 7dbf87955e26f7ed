"""Checks of `conversations`: is everything listed, once, on its day?"""

from __future__ import annotations

from sqlalchemy import text

from audio_extract_dagster.checks.rule import DayToCheck, Found, rows_named
from audio_extract_dagster.database.ledger import accounts
from audio_extract_dagster.extraction.accounting import listing_gaps

_OUTSIDE = text("""
    SELECT conversation_id
      FROM conversations
     WHERE call_date = :day
       AND (conversation_start < :start OR conversation_start >= :end)
     ORDER BY conversation_id
""")
_REPEATED = text("""
    SELECT payload ->> 'conversationId'
      FROM conversations
     WHERE call_date = :day
       AND payload ? 'conversationId' -- not so after RETENTION_DAYS
     GROUP BY payload ->> 'conversationId'
    HAVING count(*) > 1
""")


def listing_is_complete(checked: DayToCheck) -> Found:
    """Every hit of the listing is a row or counted by kind, and none is lost."""
    listing = accounts.listing_counts(checked.connection, checked.day)
    return Found(listing_gaps(listing), listing)


def each_conversation_once(checked: DayToCheck) -> Found:
    """No two rows hold the same conversation of Genesys."""
    ids = list(checked.connection.execute(_REPEATED, {"day": checked.day}).scalars())
    return Found(rows_named("conversations stand in several rows", ids), {"repeated": len(ids)})


def each_in_its_day(checked: DayToCheck) -> Found:
    """Every conversation started within the business day it is filed under."""
    window = checked.settings.business_days.window(checked.day)
    span = {"day": checked.day, "start": window.start, "end": window.end}
    ids = list(checked.connection.execute(_OUTSIDE, span).scalars())
    return Found(rows_named("conversations started on another day", ids), {"outside": len(ids)})


def still_listed(checked: DayToCheck) -> Found:
    """Genesys still lists every conversation whose audio is kept here."""
    listing = accounts.listing_counts(checked.connection, checked.day)
    kept = int(listing.get("kept", 0))
    problem = f"{kept} conversations with audio are no longer listed; their rows are kept"
    return Found([problem] if kept else [], {"no_longer_listed": kept})
