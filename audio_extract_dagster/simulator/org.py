"""One simulated Genesys Cloud organisation: everything that the routes share.

The content comes from a `Source`; the org adds time (what is there now), state (tokens, jobs,
uploads that finish) and bookkeeping for tests. No HTTP.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import NamedTuple
from urllib.parse import quote

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.simulator import audio
from audio_extract_dagster.simulator.faults import Faults
from audio_extract_dagster.simulator.ids import Ids
from audio_extract_dagster.simulator.links import Links
from audio_extract_dagster.simulator.model import (
    Conversation,
    Payload,
    Recording,
    Source,
    as_seen,
    milliseconds,
)
from audio_extract_dagster.simulator.switches import Switches
from audio_extract_dagster.simulator.tokens import Tokens

_LATE = {"UPLOADING", "RESTORING"}


class Counters:
    """How often each operation was asked for, and each file was fetched. Safe for threads.

    `counters["batch_submit"]` is 0 when nobody asked.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._operations: Counter[str] = Counter()
        self._downloads: Counter[tuple[str, str, int]] = Counter()

    def __getitem__(self, operation: str) -> int:
        with self._lock:
            return self._operations[operation]

    @property
    def operations(self) -> dict[str, int]:
        """Requests by operation, refused and spoiled ones too."""
        with self._lock:
            return dict(self._operations)

    @property
    def downloads(self) -> dict[tuple[str, str, int], int]:
        """Files by conversation id, recording id and part (from 0): those that were found."""
        with self._lock:
            return dict(self._downloads)

    def count(self, operation: str) -> None:
        with self._lock:
            self._operations[operation] += 1

    def count_download(self, conversation_id: str, recording_id: str, part: int) -> None:
        with self._lock:
            self._downloads[conversation_id, recording_id, part] += 1

    def clear(self) -> None:
        with self._lock:
            self._operations.clear()
            self._downloads.clear()


class File(NamedTuple):
    """One part (from 0) of a conversation's recording; `number` is its place among them."""

    conversation_id: str
    recording: Recording
    number: int
    part: int


class Client(NamedTuple):
    """The only OAuth client that may log in, when there is such a restriction."""

    id: str
    secret: str


class Org:
    """What is there, who may see it, and what has been asked."""

    def __init__(
        self,
        source: Source,
        clock: Clock,
        switches: Switches,
        client: Client | None = None,
    ) -> None:
        self.source = source
        self.clock = clock
        self.switches = switches
        self.client = client
        self.base_url = ""
        self.identity = {"id": Ids("org").named("organization"), "name": "Simulated contact centre"}
        self.tokens = Tokens(clock)
        self.faults = Faults()
        self.counters = Counters()
        self.links = Links(b"storage of the simulated org")
        self._lock = threading.Lock()
        self._first_asked: dict[str, float] = {}
        self._uploads_finished = False

    def now_ms(self) -> int:
        return milliseconds(self.clock.now())

    def find(self, conversation_id: str) -> Conversation | None:
        """The conversation, if it has begun by now."""
        conversation = self.source.find(conversation_id)
        if conversation is None or conversation.start_ms > self.now_ms():
            return None
        return conversation

    def seen(self, conversation: Conversation) -> Payload:
        """Its payload as known now."""
        return as_seen(conversation, self.now_ms())

    def recordings(self, conversation: Conversation) -> tuple[Recording, ...]:
        """Its recordings as far as they are attached to it now.

        The recording of a conversation that has not ended is an orphan until it does.
        """
        ended = conversation.end_ms is not None and conversation.end_ms <= self.now_ms()
        if ended or self.switches.open_call_recordings:
            return conversation.recordings
        return ()

    def state(self, recording: Recording) -> str:
        """Its fileState now: what is uploading or restoring becomes AVAILABLE in time."""
        if recording.state not in _LATE:
            return recording.state
        now = self.clock.monotonic()
        with self._lock:
            first = self._first_asked.setdefault(recording.id, now)
            patience = self.switches.late_audio_seconds
            arrived = self._uploads_finished or (patience is not None and now - first >= patience)
        return "AVAILABLE" if arrived else recording.state

    def finish_uploads(self) -> None:
        """Everything that is uploading or restoring is AVAILABLE from now on."""
        with self._lock:
            self._uploads_finished = True

    def content_type(self, recording: Recording) -> str:
        """What its files are, as batch results and the file host say."""
        return "audio/wav" if self._fixed_size(recording) else recording.content_type

    def content(self, recording: Recording, part: int) -> bytes:
        """The file of one part."""
        if size := self._fixed_size(recording):
            return audio.render_size(f"{recording.id}-{part}", size)
        return self.source.content(recording, part)

    def _fixed_size(self, recording: Recording) -> int | None:
        """The size that made-up audio must have for a benchmark, if any."""
        made_up = recording.media == "audio" and recording.path is None
        return self.switches.audio_bytes if made_up else None

    def link(self, file: File) -> str:
        """A freshly signed link to a file."""
        path = f"/files/{quote(file.conversation_id, safe='')}/{file.number}/{file.part}"
        seconds = self.switches.link_seconds
        if seconds is None:
            seconds = self.switches.link_minutes * 60
        return self.base_url + self.links.sign(path, self.clock.now(), seconds)
