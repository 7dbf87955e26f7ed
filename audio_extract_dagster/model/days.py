"""A day as a whole: its counts, what of it is still open, and the runs that extracted it.

The counts are read from the tables in `database/ledger/accounts.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from audio_extract_dagster.model.statuses import JobStatus, RecordStatus


@dataclass(frozen=True)
class DayCounts:
    """The closed counts of a day: conversations = agent calls + excluded; records by status.

    Agent calls without a record count as pending, for the reason `not_requested`. `bytes` and
    `audio_minutes` are of what is stored; `reasons` counts the records that are not, by reason,
    and the excluded conversations.
    """

    conversations: int = 0
    agent_calls: int = 0
    excluded: int = 0
    stored: int = 0
    pending: int = 0
    missing: int = 0
    failed: int = 0
    ignored: int = 0
    bytes: int = 0
    audio_minutes: float = 0.0
    reasons: Mapping[str, int] = field(default_factory=dict)

    def reasons_by_count(self) -> list[tuple[str, int]]:
        """The reasons, the most frequent first."""
        return sorted(self.reasons.items(), key=lambda each: (-each[1], each[0]))


@dataclass(frozen=True)
class OpenRecords:
    """The records of one day that are alike in status and in what they wait for."""

    call_date: date
    status: RecordStatus
    call_is_open: bool
    waits_for_the_end: bool
    """Nothing is known of it yet, and the call is open."""
    count: int
    attempts: int
    newest_since: datetime
    """When the one that was first asked for last was first asked for."""
    last_asked_at: datetime


@dataclass(frozen=True)
class CallsToLookAt:
    """The calls of one day that have their answer and may get more recordings all the same.

    Or that were left out because no agent took part, and may get one: then nobody asked for them,
    and `last_asked_at` is when the newest of them began.
    """

    call_date: date
    have_ended: bool
    have_agent: bool
    count: int
    newest_start: datetime
    last_asked_at: datetime


@dataclass(frozen=True)
class MeasuredDay:
    """What an extracted day came to over all of its runs, of which `listings` listed it."""

    conversations: int
    agent_calls: int
    bytes: int
    requests: int
    listings: int
    batches: int


@dataclass(frozen=True)
class Rates:
    """What a conversation leads to on average, on so many measured days.

    The defaults are assumed: shares of a usual contact centre, calls of three minutes as Opus.
    """

    agent_calls_per_conversation: float = 0.8
    metadata_per_agent_call: float = 0.2
    bytes_per_agent_call: float = 750_000
    measured_days: int = 0


@dataclass(frozen=True)
class DayShape:
    """What a picture of a day shows.

    `calls_by_hour` has 24 numbers, `recordings_by_minutes` one for each full minute of length, the
    last of them for everything longer.
    """

    calls_by_hour: tuple[int, ...]
    records_by_status: Mapping[RecordStatus, int]
    recordings_by_minutes: tuple[int, ...]


@dataclass(frozen=True)
class JobUsage:
    """What a run has spent: API requests, and seconds of waiting for Genesys."""

    requests: int = 0
    wait_seconds: float = 0.0


@dataclass(frozen=True)
class Job:
    """One run of one day, as `extraction_jobs` keeps it."""

    run_id: str
    call_date: date
    status: JobStatus
    stage: str | None
    started_at: datetime
    finished_at: datetime | None
    counts: DayCounts
    usage: JobUsage
    error: str | None

    @staticmethod
    def of_failed_run(
        run_id: str,
        call_date: date,
        error: str,
        now: datetime,
        counts: DayCounts | None = None,
        *,
        status: JobStatus = JobStatus.FAILED,
    ) -> Job:
        """A run that failed, or was canceled, before it had a row of its own."""
        counts = counts or DayCounts()
        return Job(run_id, call_date, status, None, now, now, counts, JobUsage(), error)
