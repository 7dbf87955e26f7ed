"""Checks of `daily_report`: the verdict on the day, and its past."""

from __future__ import annotations

from datetime import timedelta

from audio_extract_dagster.checks.rule import DayToCheck, Found, rows_named
from audio_extract_dagster.database.ledger import accounts, jobs
from audio_extract_dagster.extraction.accounting import gaps, verdict
from audio_extract_dagster.extraction.due import days_left_behind
from audio_extract_dagster.model import JobStatus


def day_is_accounted_for(checked: DayToCheck) -> Found:
    """The listing is complete, the counts close, and not too many recordings failed."""
    counts = accounts.count_day(checked.connection, checked.day)
    listed = accounts.listing_counts(checked.connection, checked.day)
    limit = checked.settings.max_failed_percent
    ending = verdict(counts, listed, max_failed_percent=limit)
    numbers = {"status": ending.status.value, "sums": "; ".join(gaps(counts)) or "close"}
    failed = ending.status is JobStatus.FAILED
    return Found([ending.cause or "failed"] if failed else [], numbers)


def no_day_left_behind(checked: DayToCheck) -> Found:
    """Of the four weeks before, no business day since the first one ever run is not done."""
    first = jobs.first_day(checked.connection) or checked.day
    first = max(first, checked.day - timedelta(weeks=4))
    last = checked.day - timedelta(days=1)
    days = checked.settings.business_days
    statuses = jobs.statuses_between(checked.connection, first, last)
    behind = days_left_behind(days, first, last, statuses)
    return Found(rows_named("earlier days are not done", behind), {"left_behind": len(behind)})
