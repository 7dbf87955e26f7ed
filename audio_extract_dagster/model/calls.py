"""The words of the project as types: statuses, reasons, and the things the ledger keeps.

Plain data that the business (`extraction/`), the tables (`database/`) and the messages (`notify/`)
share. No rules: how a reason is chosen is in `extraction/outcomes.py`, how a job ends in
`extraction/accounting.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum


class JobStatus(str, Enum):
    """The life cycle of one run of one day."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    INCOMPLETE = "INCOMPLETE"
    FAILED = "FAILED"
    CANCELED = "CANCELED"

    @property
    def is_done(self) -> bool:
        """Whether the day needs no other run soon: what is pending comes back by itself."""
        return self in (JobStatus.SUCCEEDED, JobStatus.INCOMPLETE)


class BatchStatus(str, Enum):
    """The life cycle of one batch request."""

    PLANNED = "PLANNED"
    SUBMITTED = "SUBMITTED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class RecordStatus(str, Enum):
    """The four states of an audio record."""

    STORED = "STORED"
    PENDING = "PENDING"
    MISSING = "MISSING"
    FAILED = "FAILED"


class Reason(Enum):
    """Why a recording is not stored. Each reason belongs to exactly one status."""

    # Genesys may still give it.
    UPLOADING = "uploading", RecordStatus.PENDING
    RESTORING = "restoring", RecordStatus.PENDING
    UNKNOWN_STATE = "unknown_state", RecordStatus.PENDING
    CALL_OPEN = "call_open", RecordStatus.PENDING
    NOT_LISTED_YET = "not_listed_yet", RecordStatus.PENDING
    LINK_EXPIRED = "link_expired", RecordStatus.PENDING
    BATCH_UNFINISHED = "batch_unfinished", RecordStatus.PENDING
    NOT_REQUESTED = "not_requested", RecordStatus.PENDING
    # Genesys will not give it: final.
    NOT_ANSWERED = "not_answered", RecordStatus.MISSING
    NOT_RECORDED = "not_recorded", RecordStatus.MISSING
    DELETED = "deleted", RecordStatus.MISSING
    ARCHIVED = "archived", RecordStatus.MISSING
    ERROR_STATE = "error_state", RecordStatus.MISSING
    WITHDRAWN = "withdrawn", RecordStatus.MISSING
    NO_PERMISSION = "no_permission", RecordStatus.MISSING
    LATE_AUDIO_EXPIRED = "late_audio_expired", RecordStatus.MISSING
    NEVER_CLOSED = "never_closed", RecordStatus.MISSING
    RETENTION = "retention", RecordStatus.MISSING
    # We or the wire failed.
    NOT_DELIVERED = "not_delivered", RecordStatus.FAILED
    TRANSFER_BROKEN = "transfer_broken", RecordStatus.FAILED
    NOT_AUDIO = "not_audio", RecordStatus.FAILED
    METADATA_UNREADABLE = "metadata_unreadable", RecordStatus.FAILED
    FILE_LOST = "file_lost", RecordStatus.FAILED

    def __init__(self, code: str, status: RecordStatus) -> None:
        self.code = code
        self.status = status


class Ask(Enum):
    """Which calls of a day a run asks for."""

    OPEN_CALLS = "calls without a final answer"
    NEW_CALLS = "calls that were never asked for"
    ALL_CALLS = "every call, also where the audio is stored or was given up"


@dataclass(frozen=True)
class Selection:
    """The calls of a day that a run asks for; no ids means no limit to some calls."""

    ask: Ask = Ask.OPEN_CALLS
    conversation_ids: tuple[str, ...] = ()


OPEN_CALLS = Selection()


@dataclass(frozen=True)
class KnownRecord:
    """A row of `audio_records` as it stood before the call was asked for."""

    recording_id: str
    status: RecordStatus
    attempts: int
    first_requested_at: datetime | None = None


@dataclass(frozen=True)
class CallToAsk:
    """An agent call whose recordings are to be asked for, with the records it already has."""

    conversation_id: str
    conversation_start: datetime
    ended_at: datetime | None
    answered: bool
    recording_sessions: int
    records: tuple[KnownRecord, ...] = ()
    fetch_again: bool = False
    """Fetch also what is stored; what cannot be had again stays as it is."""

    @property
    def attempts(self) -> int:
        """How often the call was asked for before."""
        return max((record.attempts for record in self.records), default=0)

    @property
    def stored_ids(self) -> frozenset[str]:
        """Recordings that are already in the storage, whole: never fetched again."""
        return frozenset(r.recording_id for r in self.records if r.status is RecordStatus.STORED)

    @property
    def unsettled_ids(self) -> frozenset[str]:
        """Recordings with an id that were asked for before and have no final answer."""
        return frozenset(
            r.recording_id
            for r in self.records
            if r.recording_id and r.status in (RecordStatus.PENDING, RecordStatus.FAILED)
        )


@dataclass(frozen=True)
class StoredPart:
    """One audio file, whole, under its final name. `part` is 0 for a single file, else 1…n."""

    part: int
    uri: str
    content_type: str
    size_bytes: int
    sha256: str
    duration_seconds: float | None


@dataclass(frozen=True)
class StoredRecording:
    """All files of one recording: they come from one batch and are written together."""

    conversation_id: str
    recording_id: str
    parts: tuple[StoredPart, ...]


@dataclass
class Batch:
    """One batch request. Times are aware; counts are what Genesys reported last."""

    batch_id: str
    number: int
    conversation_ids: tuple[str, ...]
    genesys_job_id: str | None = None
    submitted_at: datetime | None = None
    expected_count: int | None = None
    result_count: int | None = None
    error_count: int | None = None
    ignored_count: int = 0
    completed_at: datetime | None = None


@dataclass(frozen=True)
class DayCounts:
    """The closed counts of a day: conversations = agent calls + excluded; records by status.

    `unrequested` agent calls have no record yet; they count as pending. `bytes` and
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


@dataclass(frozen=True)
class OpenRecords:
    """The records of one day that are alike in status and in whether their call is still open."""

    call_date: date
    status: RecordStatus
    call_is_open: bool
    count: int
    attempts: int
    newest_since: datetime
    """When the one that was first asked for last was first asked for."""
    last_asked_at: datetime


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
        run_id: str, call_date: date, error: str, now: datetime, counts: DayCounts | None = None
    ) -> Job:
        """A run that failed before it had a row of its own."""
        counts = counts or DayCounts()
        return Job(run_id, call_date, JobStatus.FAILED, None, now, now, counts, JobUsage(), error)
