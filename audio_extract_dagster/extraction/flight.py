"""One batch on its way: what was asked, what Genesys has answered so far, what is left to do.

State and bookkeeping only. `extraction/collect.py` decides when to look, fetch, settle and close.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from audio_extract_dagster.database.storable import clean_text
from audio_extract_dagster.extraction.audio_file import is_audio
from audio_extract_dagster.extraction.outcomes import Answers
from audio_extract_dagster.genesys import BatchResult, BatchStatus
from audio_extract_dagster.model import Batch, CallToAsk, Reason

# Signed links that died may be signed anew once; after that a new batch is asked for.
FRESH_LINKS = 1


@dataclass(frozen=True)
class Link:
    """Where one audio file can be fetched for a while. The URL is a secret while it lives."""

    url: str = field(repr=False)
    content_type: str | None


@dataclass(frozen=True)
class RecordingLinks:
    """The files of one recording, in the order of their parts."""

    conversation_id: str
    recording_id: str
    links: tuple[Link, ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.conversation_id, self.recording_id


@dataclass
class Flight:
    """A batch between its submission and the moment when every call in it is settled.

    `next_look` and `deadline` are readings of the monotonic clock, in seconds. `error` says why
    the batch failed as a whole, None while it did not; `broke_off` that it was taken but not ended.
    """

    batch: Batch
    calls: Mapping[str, CallToAsk]
    next_look: float
    deadline: float
    looks: int = 0
    has_results: bool = False
    finished: bool = False
    error: str | None = None
    broke_off: bool = False
    downloads: int = 0
    to_settle: deque[CallToAsk] = field(default_factory=deque)
    settled: list[tuple[CallToAsk, Mapping[str, Reason]]] = field(default_factory=list)
    _answers: dict[str, Answers] = field(default_factory=dict)
    _links: dict[tuple[str, str], RecordingLinks] = field(default_factory=dict)
    _refreshes: int = 0
    _wants_fresh_links: bool = False

    def __post_init__(self) -> None:
        self.to_settle.extend(self.calls.values())

    @property
    def is_short(self) -> bool:
        """Whether Genesys gave fewer results than it announced, or broke off."""
        announced = self.batch.expected_count or 0
        return self.broke_off or (self.batch.result_count or 0) < announced

    @property
    def wants_look(self) -> bool:
        return not self.finished or self._wants_fresh_links

    @property
    def can_settle(self) -> bool:
        """Whether everything that this batch will ever give is in."""
        return not self.wants_look and not self.downloads

    def answers(self, call: CallToAsk) -> Answers:
        """What is known about one of the calls so far."""
        return self._answers.setdefault(call.conversation_id, Answers())

    def absorb(self, status: BatchStatus) -> list[RecordingLinks]:
        """Take in an answer of Genesys; returns the recordings to fetch because of it."""
        self.has_results = bool(status.results)
        self.batch.expected_count = status.expected_count
        self.batch.result_count = status.result_count
        self.batch.error_count = status.error_count
        self.batch.ignored_count = 0
        for answers in self._answers.values():
            answers.errors.clear()
            answers.call_error = False
        offers: dict[tuple[str, str], list[Link]] = {}
        for result in status.results:
            self._sort(result, offers)
        offered = (RecordingLinks(*key, tuple(links)) for key, links in offers.items())
        return list(self._to_fetch(offered))

    def arrived(self, recording: RecordingLinks, reason: Reason | None) -> bool:
        """A fetch has ended: stored (`reason` None) or not; returns whether a look may help."""
        self.downloads -= 1
        answers = self._answers[recording.conversation_id]
        if reason is None:
            answers.stored.add(recording.recording_id)
            answers.undelivered.pop(recording.recording_id, None)
            return False
        answers.undelivered[recording.recording_id] = reason
        if reason is Reason.LINK_EXPIRED and self._refreshes < FRESH_LINKS and not self.error:
            self._wants_fresh_links = True
            return True
        return False

    def looked(self) -> None:
        """A look is spent; one for fresh links is one of few."""
        self.looks += 1
        if self._wants_fresh_links:
            self._refreshes += 1
            self._wants_fresh_links = False

    def break_off(self, error: str) -> None:
        """Genesys did not finish the batch, or forgot it; what it gave so far is kept."""
        self.error = error
        self.broke_off = True
        self.finished = True
        self._wants_fresh_links = False

    def refuse(self, error: str) -> None:
        """Genesys refused the request for the one call in it."""
        self.error = error
        self.finished = True
        for call in self.calls.values():
            self.answers(call).call_error = True

    def summary(self) -> str:
        """One line about what became of the batch."""
        stored = sum(len(self.answers(call).stored) for call in self.calls.values())
        rest = Counter(reason.code for _, by_id in self.settled for reason in by_id.values())
        others = "".join(f", {count} {code}" for code, count in sorted(rest.items()))
        failed = f" ({self.error})" if self.error else ""
        return (
            f"Batch {self.batch.number}{failed}: {len(self.calls)} calls, {stored} stored{others}."
        )

    def _sort(self, result: BatchResult, offers: dict[tuple[str, str], list[Link]]) -> None:
        call = self.calls.get(clean_text(result.conversation_id or ""))
        if call is None:
            # Nobody asked for it: it is counted, never stored.
            self.batch.ignored_count += 1
            return
        recording_id = clean_text(result.recording_id or "")
        if result.url and not is_audio(result.content_type):
            self.batch.ignored_count += 1
        elif result.url and recording_id:
            link = Link(result.url, result.content_type)
            offers.setdefault((call.conversation_id, recording_id), []).append(link)
        elif recording_id:
            self.answers(call).errors.add(recording_id)
        else:
            self.answers(call).call_error = True

    def _to_fetch(self, offered: Iterable[RecordingLinks]) -> Iterable[RecordingLinks]:
        for recording in offered:
            call = self.calls[recording.conversation_id]
            if recording.recording_id in call.stored_ids or not self._is_news(recording):
                continue
            self._links[recording.key] = recording
            self.answers(call).stored.discard(recording.recording_id)
            self.downloads += 1
            yield recording

    def _is_news(self, recording: RecordingLinks) -> bool:
        """Whether the offer is the first, has more parts, or has fresh links for dead ones."""
        earlier = self._links.get(recording.key)
        if earlier is None or len(recording.links) > len(earlier.links):
            return True
        answers = self._answers[recording.conversation_id]
        died = answers.undelivered.get(recording.recording_id) is Reason.LINK_EXPIRED
        return died and recording.links != earlier.links
