"""Conversations, recordings and batches as the rest of the project knows them.

Only what the project uses; the names on the wire are the camel-case ones of these, unless said.
Everything that Genesys may leave out is None or empty, and values of enumerations are plain text:
new ones appear without notice. How they are read is in `wire.py`; the fields stand in the order in
which Genesys sends them, which makes that a tenth quicker.

Phone numbers, payloads and signatures of links are kept out of every `repr`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A date-time with an offset (the API writes UTC); one without counts as absent."""

Amount = Annotated[float, msgspec.Meta(ge=0, le=1e15)]
"""A count, or milliseconds; nothing that is negative or would not fit into a bigint."""

Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=320)]
"""Opaque text; longer than any id there is, and short enough that a table can have two in a key."""


class WireStruct(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A piece of an answer; its `repr` shows the fields named in `shown` and no others."""

    shown: ClassVar[tuple[str, ...]] = ()

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in self.shown]

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({fields})"


class Metric(WireStruct, frozen=True):
    """`t…` are milliseconds, `n…` are counts."""

    shown = ("name", "value")

    name: str | None = None
    value: Amount | None = None


class Segment(WireStruct, frozen=True):
    """A stretch of a session in one state (`alert`, `interact`, `hold`, `wrapup`, …)."""

    shown = ("type", "start", "end")

    disconnect_type: str | None = None
    queue_id: str | None = None
    end: Moment | None = msgspec.field(default=None, name="segmentEnd")
    start: Moment | None = msgspec.field(default=None, name="segmentStart")
    type: str | None = msgspec.field(default=None, name="segmentType")
    wrap_up_code: str | None = None


class Session(WireStruct, frozen=True):
    """One medium of one participant. `ani` and `dnis` as sent: mostly `tel:` or `sip:` URIs."""

    shown = ("session_id", "media_type")

    ani: str | None = None
    dnis: str | None = None
    media_type: str | None = None
    recording: bool | None = None
    session_id: str | None = None
    metrics: tuple[Metric, ...] = ()
    segments: tuple[Segment, ...] = ()


class Participant(WireStruct, frozen=True):
    shown = ("purpose", "user_id")

    purpose: str | None = None
    user_id: str | None = None
    sessions: tuple[Session, ...] = ()


class Conversation(WireStruct, frozen=True):
    """A conversation of the analytics API. `start` and `end` are in UTC; `end` is None while open.

    `payload` is the conversation's JSON as it came (UTF-8).
    """

    shown = ("id", "start", "end")

    id: str
    start: datetime
    end: datetime | None
    originating_direction: str | None
    participants: tuple[Participant, ...]
    payload: bytes


@dataclass(frozen=True)
class ConversationPage:
    """One page of a listing: `len(conversations) + unreadable` hits were on it.

    `total_hits` counts the hits of all pages at that moment; 0 if the answer did not say.
    `unreadable` hits have no id or no start that can be read.
    """

    conversations: list[Conversation]
    total_hits: int
    unreadable: int


class RecordingMetadata(WireStruct, frozen=True):
    """What Genesys knows of one recording. `id` is empty if it cannot be read."""

    shown = ("id", "media", "file_state")

    id: Identifier = ""
    media: str | None = None
    file_state: str | None = None


class BatchResult(WireStruct, frozen=True):
    """One result of a batch: a link or an error. One recording may have several.

    `url` is signed: whoever has it has the audio. `recording_id` is None where an error names only
    the conversation; both ids are empty text or None if they cannot be read.
    """

    shown = ("conversation_id", "recording_id", "url", "content_type", "error")

    conversation_id: Identifier = ""
    recording_id: Identifier | None = None
    url: str | None = msgspec.field(default=None, name="resultUrl")
    content_type: str | None = None
    error: str | None = msgspec.field(default=None, name="errorMsg")

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        unsigned = self.url and self.url.partition("?")[0]
        return [
            (name, unsigned if name == "url" else value)
            for name, value in WireStruct.__rich_repr__(self)
        ]


@dataclass(frozen=True)
class BatchJobStatus:
    """A look at a batch job. `expected_count` may still rise while recordings are discovered."""

    status: str | None
    expected_count: int
    result_count: int
    error_count: int
    results: list[BatchResult]

    @property
    def finished(self) -> bool:
        """Nothing more will come.

        `status` is a newer field; without it the counts decide, and 0 of 0 is what a job shows
        before its first recording is found.
        """
        if self.status is not None:
            return self.status == "Completed"
        return 0 < self.expected_count <= self.result_count
