"""The states of a job, of a batch and of a recording; why a batch fails, and why audio is missing.

How a reason is chosen is in `extraction/outcomes.py`, how a job ends in `extraction/accounting.py`,
how a person reads them in `notify/texts.py`.
"""

from __future__ import annotations

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


class BatchFailure(str, Enum):
    """Why a batch request is `FAILED`; a refusal is told with Genesys's own code behind it."""

    NOT_TAKEN = "not_taken"
    REFUSED = "refused"
    REPLY_LOST = "reply_lost"
    DEADLINE = "deadline"
    JOB_GONE = "job_gone"
    UNREADABLE = "unreadable"


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
