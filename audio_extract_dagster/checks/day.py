"""The verdict on the whole day as a check, and the list of all checks."""

from __future__ import annotations

from audio_extract_dagster.checks import audio, calls, listing
from audio_extract_dagster.checks.rule import Check, DayUnderTest, Found
from audio_extract_dagster.database.ledger import accounts
from audio_extract_dagster.extraction.accounting import gaps, verdict
from audio_extract_dagster.model import JobStatus


def day_is_accounted_for(test: DayUnderTest) -> Found:
    """The listing is complete, the counts close, and not too many recordings failed."""
    counts = accounts.day_counts(test.connection, test.day)
    listed = accounts.stream_counts(test.connection, "conversations", test.day)
    limit = test.settings.max_failed_percent
    ending = verdict(counts, listed, max_failed_percent=limit)
    numbers = {"status": ending.status.value, "sums": "; ".join(gaps(counts)) or "close"}
    failed = ending.status is JobStatus.FAILED
    return Found([ending.cause or "failed"] if failed else [], numbers)


ALL_CHECKS = (
    Check("conversations", listing.listing_is_complete),
    Check("conversations", listing.each_conversation_once),
    Check("conversations", listing.each_in_its_day),
    Check("conversations", listing.still_listed, warns=True),
    Check("agent_calls", calls.calls_add_up),
    Check("agent_calls", calls.volume_is_usual, warns=True),
    Check("audio_records", audio.calls_have_records),
    Check("audio_records", audio.stored_files_exist),
    Check("audio_records", audio.durations_agree, warns=True),
    Check("audio_records", audio.nothing_open_too_long, warns=True),
    Check("daily_report", day_is_accounted_for, stops=True),
)
