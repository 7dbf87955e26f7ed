"""An org read from a folder: real conversation payloads and real audio files, served as they are.

Conversations are any `*.json` below the folder that hold one conversation or
`{"conversations": […]}`. Every voice conversation with `recording: true` on one of its sessions has
one recording; the audio files below the folder are dealt out in turn, in order of file name, to the
conversations in order of their start. Served files are identical to those on disk.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timezone
from itertools import cycle
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from audio_extract_dagster.errors import Never
from audio_extract_dagster.simulator.model import (
    Conversation,
    Payload,
    Queue,
    Recording,
    Slot,
    milliseconds,
)

log = logging.getLogger(__name__)

AUDIO_TYPES = {
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg; codecs=opus",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".flac": "audio/flac",
    ".webm": "audio/webm",
}
"""File name ending → the content type it is served with."""

_NAMESPACE = uuid.UUID("5b1f7d5c-7c1e-5d4e-9d6a-5a3d6a1c9f00")


class NothingToReplay(Never):
    """The folder has no conversations, or recorded ones and no audio."""


class Replay:
    """The conversations and audio files of a folder as an org; days are those of `timezone`."""

    def __init__(self, folder: Path | str, timezone: str = "America/Lima") -> None:
        self.folder = Path(folder)
        self.timezone = ZoneInfo(timezone)
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        payloads = _payloads(path for path in files if path.suffix.lower() == ".json")
        if not payloads:
            raise NothingToReplay(f"there is no conversation in any *.json below {self.folder}")
        audio = [path for path in files if path.suffix.lower() in AUDIO_TYPES]
        audio.sort(key=lambda path: (path.name, path))
        self._conversations = self._dealt(payloads, audio)
        self._by_id = {each.id: each for each in self._conversations}
        self.queues = _queues(payloads)
        self.users = _users(payloads)

    @property
    def queue_ids(self) -> tuple[str, ...]:
        """Every queue that a segment names, the busiest first."""
        return tuple(queue.id for queue in self.queues)

    def conversations(self, day: date) -> list[Conversation]:
        """What starts on a local day, by start."""
        return [self.build(slot) for slot in self.on_day(day)]

    def on_day(self, day: date) -> list[Slot]:
        return [slot for slot in self._slots() if slot.day == day.toordinal()]

    def started(self, first_ms: int, before_ms: int) -> list[Slot]:
        return [slot for slot in self._slots() if first_ms <= slot.start_ms < before_ms]

    def build(self, slot: Slot) -> Conversation:
        return self._conversations[slot.serial]

    def find(self, conversation_id: str) -> Conversation | None:
        return self._by_id.get(conversation_id)

    def content(self, recording: Recording, part: int) -> bytes:  # noqa: ARG002 - there is one part
        return Path(str(recording.path)).read_bytes()

    def _slots(self) -> Iterator[Slot]:
        for serial, conversation in enumerate(self._conversations):
            day = conversation.start.astimezone(self.timezone).date().toordinal()
            yield Slot(conversation.start_ms, day, serial)

    def _dealt(self, payloads: Sequence[Payload], audio: Sequence[Path]) -> list[Conversation]:
        """The conversations by start, each recorded one with the next audio file."""
        if not audio and any(_recorded_session(payload) for payload in payloads):
            raise NothingToReplay(
                f"conversations below {self.folder} are recorded, but there is no audio file "
                f"({', '.join(AUDIO_TYPES)})"
            )
        deck = cycle(audio)
        conversations = []
        for payload in payloads:
            session = _recorded_session(payload)
            recordings = (_recording(payload, session, next(deck)),) if session else ()
            end = payload.get("conversationEnd")
            conversations.append(
                Conversation(
                    id=payload["conversationId"],
                    story="replay",
                    start_ms=_moment(payload["conversationStart"]),
                    end_ms=None if end is None else _moment(end),
                    payload=payload,
                    recordings=recordings,
                )
            )
        return conversations


def _payloads(paths: Iterator[Path]) -> list[Payload]:
    """The conversations of all files by start; each id once."""
    found: dict[str, Payload] = {}
    for path in paths:
        usable = [payload for payload in _candidates(path) if _is_conversation(payload)]
        if not usable:
            log.info("%s holds no conversation and is left out", path)
        for payload in usable:
            if payload["conversationId"] in found:
                log.info("conversation %s appears again in %s", payload["conversationId"], path)
            found.setdefault(payload["conversationId"], payload)
    return sorted(
        found.values(),
        key=lambda payload: (_moment(payload["conversationStart"]), payload["conversationId"]),
    )


def _candidates(path: Path) -> list[Any]:
    try:
        content = _without_nulls(msgspec.json.decode(path.read_bytes()))
    except msgspec.DecodeError:
        return []
    if isinstance(content, dict) and isinstance(content.get("conversations"), list):
        return list(content["conversations"])
    return [content]


def _is_conversation(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("conversationId"), str):
        return False
    try:
        _moment(value["conversationStart"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    return isinstance(value.get("participants", []), list)


def _without_nulls(value: Any) -> Any:
    """The platform leaves out what has no value; so does the replay."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return value


def _sessions(payload: Payload) -> Iterator[tuple[Payload, Payload]]:
    for participant in payload.get("participants", ()):
        for session in participant.get("sessions", ()):
            yield participant, session


def _recorded_session(payload: Payload) -> Payload | None:
    """The first session that says `recording: true`, if the conversation is a voice one."""
    sessions = [session for _, session in _sessions(payload)]
    if not any(session.get("mediaType") == "voice" for session in sessions):
        return None
    return next((session for session in sessions if session.get("recording") is True), None)


def _recording(payload: Payload, session: Payload, path: Path) -> Recording:
    return Recording(
        id=str(uuid.uuid5(_NAMESPACE, payload["conversationId"])),
        session_id=session.get("sessionId", ""),
        media="audio",
        subtype="Trunk",
        state="AVAILABLE",
        content_type=AUDIO_TYPES[path.suffix.lower()],
        seconds=0.0,
        encoding="file",
        path=str(path),
    )


def _queues(payloads: Sequence[Payload]) -> tuple[Queue, ...]:
    names: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for payload in payloads:
        for participant, session in _sessions(payload):
            for segment in session.get("segments", ()):
                if queue_id := segment.get("queueId"):
                    seen[queue_id] += 1
                    if participant.get("purpose") == "acd" and "participantName" in participant:
                        names.setdefault(queue_id, participant["participantName"])
    return tuple(
        Queue(queue_id, names.get(queue_id, "Queue")) for queue_id, _ in seen.most_common()
    )


def _users(payloads: Sequence[Payload]) -> tuple[tuple[str, str], ...]:
    ids = {
        participant["userId"]
        for payload in payloads
        for participant in payload.get("participants", ())
        if "userId" in participant
    }
    return tuple((user_id, f"Agent {number:02d}") for number, user_id in enumerate(sorted(ids), 1))


def _moment(text: str) -> int:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
