"""Calls and their recordings: what is asked for, what is known of it, what came.

Which calls are asked for is decided in `database/ledger/calls.py`; conversations as
Genesys describes them are in `genesys/model.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from audio_extract_dagster.model.statuses import RecordStatus


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
    may_have_more: bool = False
    """The call may get recordings that were not listed when it was asked for."""
    expired: bool = False
    """It was stored until `RETENTION_DAYS` were over."""

    @property
    def is_open(self) -> bool:
        """Whether it has no final answer."""
        return self.status in (RecordStatus.PENDING, RecordStatus.FAILED)

    @property
    def was_stored(self) -> bool:
        """Whether it is in the storage, or was for as long as it may be."""
        return self.status is RecordStatus.STORED or self.expired


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
    def may_have_more(self) -> bool:
        """Whether, when it was asked for last, not all of its recordings need have been listed."""
        return any(record.may_have_more for record in self.records)

    @property
    def stored_ids(self) -> frozenset[str]:
        """Recordings that are already in the storage, or have expired: never fetched again."""
        return frozenset(r.recording_id for r in self.records if r.was_stored)

    @property
    def unsettled_ids(self) -> frozenset[str]:
        """Recordings with an id that were asked for before and have no final answer."""
        return frozenset(r.recording_id for r in self.records if r.recording_id and r.is_open)

    @property
    def given_up_ids(self) -> frozenset[str]:
        """Recordings with an id that Genesys does not give: final, unless they are forced."""
        if self.fetch_again:
            return frozenset()
        missing = (r for r in self.records if r.status is RecordStatus.MISSING)
        return frozenset(r.recording_id for r in missing if r.recording_id)


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
