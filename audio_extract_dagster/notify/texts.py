"""What a message needs words for; the words are in `english.py` and `spanish.py`.

A new language is a new `Texts`; `composition.py` chooses it by NOTIFY_LANGUAGE. Status and reason
codes come from `model/statuses.py`; a reason without words of its own is shown by its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from audio_extract_dagster.model import JobStatus


@dataclass(frozen=True)
class Texts:
    """The words of one language. Braces name what is filled in."""

    language: str
    #: Filled with weekday, day of the month, month, year.
    date_format: str
    #: Filled with the first and the last of several days.
    span_format: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...]

    title: str
    subject: str
    subject_without_counts: str
    #: How a finished run ended, in a word for subjects and in a sentence; what to do then.
    outcomes: Mapping[JobStatus, str]
    statuses: Mapping[JobStatus, str]
    #: `{day}` may be a span of days, `{date}` is the first one to do something about.
    next_steps: Mapping[JobStatus, str]

    #: A day that was due and did not run: in a subject, in a sentence, and what to do.
    not_run_subject: str
    not_run: str
    not_run_step: str

    #: A night in which what is too old was not deleted: likewise.
    retention_title: str
    retention_subject: str
    retention_failed: str
    retention_step: str

    first_error: str
    next_step: str
    open_run: str
    open_backfill: str
    none: str

    calls: str
    counts_unknown: str
    conversations: str
    conversations_note: str
    agent_calls: str
    agent_calls_note: str
    excluded: str
    excluded_note: str

    by_hour: str
    recordings: str
    #: Name and explanation of stored, pending, missing, failed.
    record_statuses: tuple[tuple[str, str], ...]
    total: str
    total_note: str
    reasons: str
    why: Mapping[str, str]

    effort: str
    audio: str
    size: str
    ignored: str
    run_time: str
    requests: str
    waiting: str
    #: Day, then the four record statuses.
    digest_columns: tuple[str, ...]

    def day(self, day: date) -> str:
        """A date in words."""
        return self.date_format.format(
            weekday=self.weekdays[day.weekday()],
            day=day.day,
            month=self.months[day.month - 1],
            year=day.year,
        )

    def span(self, first: date, last: date) -> str:
        """One or several days, in digits."""
        return str(first) if first == last else self.span_format.format(first=first, last=last)
