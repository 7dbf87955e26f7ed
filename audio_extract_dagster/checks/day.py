"""Checks of `daily_report`: the verdict on the day, and its past; and the list of all checks."""

from __future__ import annotations

from datetime import timedelta

from audio_extract_dagster.checks import audio, calls, listing
from audio_extract_dagster.checks.rule import Check, DayUnderTest, Found, rows_named
from audio_extract_dagster.database.ledger import accounts, jobs
from audio_extract_dagster.extraction.accounting import gaps, verdict
from audio_extract_dagster.extraction.due import days_left_behind
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


def no_day_left_behind(test: DayUnderTest) -> Found:
    """Of the four weeks before, no business day since the first one ever run is not done."""
    first = jobs.first_day(test.connection) or test.day
    first = max(first, test.day - timedelta(weeks=4))
    last = test.day - timedelta(days=1)
    days = test.settings.business_days
    statuses = jobs.statuses_between(test.connection, first, last)
    behind = days_left_behind(days, first, last, statuses)
    return Found(rows_named("earlier days are not done", behind), {"left_behind": len(behind)})


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
    Check("daily_report", no_day_left_behind, warns=True),
    Check("daily_report", day_is_accounted_for, stops=True),
)
