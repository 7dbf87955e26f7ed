"""What an org consists of, whoever invents it: conversations, their recordings, queues.

`Source` is what the server needs to know about an org; `World` makes one up from a seed, `Replay`
reads one from a folder. The truth here is complete and without time: `as_seen` shows what the
platform would answer at a moment. No HTTP, no faults, no switches.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, NamedTuple, Protocol

Payload = dict[str, Any]
"""A JSON object as the analytics API returns it."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - its text must not end in an offset


class Queue(NamedTuple):
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording of a conversation; each of its `parts` is one result of a batch."""

    id: str
    session_id: str
    media: str  # "audio" or "screen"
    subtype: str  # "Trunk", "Screen", …
    state: str  # fileState: "AVAILABLE", "UPLOADING", …
    content_type: str
    seconds: float
    encoding: str  # of `audio.CONTENT_TYPES`, or "screen"; "file" when `path` holds the content
    parts: int = 1
    sensitive: bool = False
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation with its whole truth, what lies in the future included."""

    id: str
    story: str
    start_ms: int
    end_ms: int | None  # None: it never ends
    payload: Payload
    recordings: tuple[Recording, ...]

    @property
    def start(self) -> datetime:
        return datetime.fromtimestamp(self.start_ms / 1000, timezone.utc)

    @property
    def has_agent(self) -> bool:
        """Whether an agent took part by voice, answering or not: what makes it an agent call."""
        return any(
            participant.get("purpose") == "agent" and session.get("mediaType") == "voice"
            for participant in self.payload.get("participants", ())
            for session in participant.get("sessions", ())
        )


class Slot(NamedTuple):
    """A conversation not yet built: enough to order it and to find it again."""

    start_ms: int
    day: int
    serial: int


class Source(Protocol):
    """An org's content. Implementations are safe for threads and always give the same answers."""

    @property
    def queues(self) -> Sequence[Queue]:
        """The org's routing queues."""

    @property
    def users(self) -> Sequence[tuple[str, str]]:
        """Id and name of each user."""

    def started(self, first_ms: int, before_ms: int) -> Sequence[Slot]:
        """What started in the half-open interval (milliseconds since 1970), by start."""

    def on_day(self, day: date) -> Sequence[Slot]:
        """What started on one local day, by start."""

    def build(self, slot: Slot) -> Conversation:
        """The conversation of a slot that this source gave."""

    def find(self, conversation_id: str) -> Conversation | None:
        """The conversation with this id, if there is one on any day."""

    def content(self, recording: Recording, part: int) -> bytes:
        """The whole file of one part (from 0) of a recording."""


@functools.lru_cache(maxsize=4096)
def _minute(minutes: int) -> str:
    """The text of a whole minute since 1970: a day's payloads name the same ones over and over."""
    return (_EPOCH + timedelta(minutes=minutes)).isoformat(timespec="minutes")


def iso(milliseconds: int) -> str:
    """A moment as the API writes it: UTC, milliseconds, `Z`. Such texts sort like the moments."""
    minute, rest = divmod(milliseconds, 60_000)
    return f"{_minute(minute)}:{rest // 1000:02d}.{rest % 1000:03d}Z"


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970, rounded down."""
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)


def as_seen(conversation: Conversation, now_ms: int) -> Payload:
    """The payload as the platform knows it at a moment: no ends that have not come yet."""
    if conversation.end_ms is not None and conversation.end_ms <= now_ms:
        return conversation.payload
    now = iso(now_ms)
    seen = {key: value for key, value in conversation.payload.items() if key != "participants"}
    if seen.get("conversationEnd", "") > now:
        del seen["conversationEnd"]
    seen["participants"] = [
        {**participant, "sessions": sessions}
        for participant in conversation.payload.get("participants", ())
        if (sessions := _sessions_seen(participant.get("sessions", ()), now))
    ]
    return seen


def _sessions_seen(sessions: Sequence[Payload], now: str) -> list[Payload]:
    seen = []
    for session in sessions:
        segments = [
            _segment_seen(segment, now)
            for segment in session.get("segments", ())
            if segment.get("segmentStart", "") <= now
        ]
        if not segments:
            continue
        known = {**session, "segments": segments}
        if "metrics" in session:
            known["metrics"] = [m for m in session["metrics"] if m.get("emitDate", "") <= now]
        seen.append(known)
    return seen


def _segment_seen(segment: Payload, now: str) -> Payload:
    if segment.get("segmentEnd", "") <= now:
        return segment
    known_at_the_end = ("segmentEnd", "disconnectType", "wrapUpCode", "errorCode")
    return {key: value for key, value in segment.items() if key not in known_at_the_end}
