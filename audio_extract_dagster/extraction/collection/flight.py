"""One batch on its way: what was asked, what Genesys has answered so far, what is left to do.

State and bookkeeping only. `collect.py` decides when to look, fetch, settle and close.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from audio_extract_dagster.database.storable import clean_text
from audio_extract_dagster.download.audio_file import may_be_audio
from audio_extract_dagster.extraction.collection.links import Link, RecordingLinks
from audio_extract_dagster.extraction.outcomes import Answers
from audio_extract_dagster.genesys import BatchJobStatus, BatchResult
from audio_extract_dagster.model import Batch, BatchFailure, CallToAsk, KnownRecord, Reason

# Signed links that died may be signed anew once; after that a new batch is asked for.
FRESH_LINKS = 1


@dataclass
class Flight:
    """A batch between its submission and the moment when every call in it is settled.

    `next_look` and `deadline` are readings of the monotonic clock, in seconds. `error` says why
    the batch failed as a whole, None while it did not; `broke_off` that it was taken but not ended.
    """

    batch: Batch
    calls: dict[str, CallToAsk]
    next_look: float
    deadline: float
    looks: int = 0
    failed_looks: int = 0  # in a row
    has_results: bool = False
    finished: bool = False
    error: str | None = None
    broke_off: bool = False
    taken_up: bool = False
    downloads: int = 0
    to_settle: deque[str] = field(default_factory=deque)  # conversation ids
    settled: list[tuple[CallToAsk, Mapping[str, Reason]]] = field(default_factory=list)
    may_have_more: set[str] = field(default_factory=set)  # conversation ids of the settled
    _answers: dict[str, Answers] = field(default_factory=dict)
    _links: dict[tuple[str, str], RecordingLinks] = field(default_factory=dict)
    _fetching: set[tuple[str, str]] = field(default_factory=set)
    _claimed: set[tuple[str, str]] = field(default_factory=set)  # rows may claim files of these
    _results_for_calls: int = 0
    _refreshes: int = 0
    _wants_fresh_links: bool = False

    def __post_init__(self) -> None:
        self.to_settle.extend(self.calls)

    @property
    def is_short(self) -> bool:
        """Whether Genesys gave fewer results for these calls than it announced, or broke off.

        Counted are the results that came: Genesys's own count may hold some that did not.
        """
        return self.broke_off or self._results_for_calls < (self.batch.expected_count or 0)

    @property
    def wants_look(self) -> bool:
        return not self.finished or self._may_look_for_fresh_links

    @property
    def _may_look_for_fresh_links(self) -> bool:
        """Such a look is spent when no download is left that might still meet a dead link."""
        return self._wants_fresh_links and not self.downloads

    @property
    def can_settle(self) -> bool:
        """Whether everything that this batch will ever give is in."""
        return not self.wants_look and not self.downloads

    def answers(self, call: CallToAsk) -> Answers:
        """What is known about one of the calls so far."""
        return self._answers.setdefault(call.conversation_id, Answers())

    def absorb(self, status: BatchJobStatus) -> list[RecordingLinks]:
        """Take in an answer of Genesys; returns the recordings to fetch because of it."""
        self.has_results = bool(status.results)
        self.batch.expected_count = status.expected_count
        self.batch.result_count = status.result_count
        self.batch.error_count = status.error_count
        self.batch.ignored_count = 0
        self._results_for_calls = 0
        for answers in self._answers.values():
            answers.errors.clear()
            answers.call_error = False
        offers: dict[tuple[str, str], list[Link]] = {}
        for result in status.results:
            self._take_in(result, offers)
        offered = (RecordingLinks(*key, tuple(links)) for key, links in offers.items())
        return list(self._to_fetch(offered))

    def offers(self, recording: RecordingLinks) -> bool:
        """Whether it is still offered like this; not so once another part of it is an error."""
        return self._links.get(recording.key) is recording

    def offered_since(self, recording: RecordingLinks) -> RecordingLinks | None:
        """The recording as it was offered, in more parts, while this fetch of it was under way.

        It takes the place of this fetch, so that two never write the files of one recording.
        """
        latest = self._links.get(recording.key)
        return None if latest is recording else latest

    def arrived(self, recording: RecordingLinks, reason: Reason | None) -> bool:
        """A fetch has ended: stored (`reason` None) or not; returns whether a look may help."""
        self.downloads -= 1
        self._fetching.discard(recording.key)
        answers = self._answers_about(recording)
        if not self.offers(recording):
            pass  # it is not whole, as was told meanwhile
        elif reason is None:
            self._claimed.add(recording.key)
            answers.stored.add(recording.recording_id)
            answers.undelivered.pop(recording.recording_id, None)
        else:
            answers.undelivered[recording.recording_id] = reason
            if reason is Reason.LINK_EXPIRED and self._refreshes < FRESH_LINKS and not self.error:
                self._wants_fresh_links = True
        return self._may_look_for_fresh_links

    def looked(self) -> None:
        """A look is spent; one for fresh links is one of few."""
        self.looks += 1
        if self._may_look_for_fresh_links:
            self._refreshes += 1
            self._wants_fresh_links = False

    def break_off(self, failure: BatchFailure) -> None:
        """Genesys did not finish the batch, or forgot it; what it gave so far is kept."""
        self.error = failure.value
        self.broke_off = True
        self.finished = True
        self._wants_fresh_links = False

    def refuse(self, error: str) -> None:
        """Genesys did not take the request for the one call in it."""
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

    def _take_in(self, result: BatchResult, offers: dict[tuple[str, str], list[Link]]) -> None:
        call = self.calls.get(clean_text(result.conversation_id or ""))
        if call is None:
            # Nobody asked for it: it is counted, never stored.
            self.batch.ignored_count += 1
            return
        self._results_for_calls += 1
        recording_id = clean_text(result.recording_id or "")
        if result.url and not may_be_audio(result.content_type):
            self.batch.ignored_count += 1
        elif result.url and recording_id:
            link = Link(result.url, result.content_type)
            links = offers.setdefault((call.conversation_id, recording_id), [])
            if link not in links:  # told twice is no second part
                links.append(link)
        elif recording_id:
            self.answers(call).errors.add(recording_id)
        else:
            self.answers(call).call_error = True

    def _to_fetch(self, offered: Iterable[RecordingLinks]) -> Iterable[RecordingLinks]:
        for recording in offered:
            if recording.recording_id in self._answers_about(recording).errors:
                self._leave(recording)
                continue
            if not self._is_news(recording):
                continue
            self._reopen(recording, len(recording.links))
            latest = replace(recording, replaces=recording.key in self._claimed)
            self._links[recording.key] = latest
            if recording.key not in self._fetching:
                self._fetching.add(recording.key)
                self.downloads += 1
                yield latest

    def _leave(self, recording: RecordingLinks) -> None:
        """One of its parts is an error. All of them come from one batch, so that none counts."""
        answers = self._answers_about(recording)
        answers.errors.discard(recording.recording_id)
        answers.undelivered[recording.recording_id] = Reason.NOT_DELIVERED
        self._links.pop(recording.key, None)
        self._reopen(recording, len(recording.links) + 1)

    def _is_news(self, recording: RecordingLinks) -> bool:
        """Whether the offer is the first, has more parts, or has fresh links for dead ones."""
        earlier = self._links.get(recording.key)
        if earlier is None:
            stored = len(self._stored_parts(recording))
            # By force again, but whole or not at all: fewer parts would take the place of all.
            again = self.calls[recording.conversation_id].fetch_again
            return len(recording.links) > stored or (again and len(recording.links) == stored)
        if len(recording.links) > len(earlier.links):
            return True
        answers = self._answers_about(recording)
        died = answers.undelivered.get(recording.recording_id) is Reason.LINK_EXPIRED
        whole = len(recording.links) == len(earlier.links)
        return died and whole and recording.links != earlier.links

    def _stored_parts(self, recording: RecordingLinks) -> list[KnownRecord]:
        """What was stored of the recording before this batch was read."""
        known = self.calls[recording.conversation_id].records
        return [
            record
            for record in known
            if record.recording_id == recording.recording_id and record.was_stored
        ]

    def _reopen(self, recording: RecordingLinks, parts: int) -> None:
        """If what was stored of the recording are not all of its parts, they are fetched together.

        What is whole and only fetched again stays stored, whatever becomes of the fetch.
        """
        self._answers_about(recording).stored.discard(recording.recording_id)
        stored = self._stored_parts(recording)
        if stored:
            self._claimed.add(recording.key)
        if stored and len(stored) < parts:
            call = self.calls[recording.conversation_id]
            rest = tuple(record for record in call.records if record not in stored)
            self.calls[call.conversation_id] = replace(call, records=rest)

    def _answers_about(self, recording: RecordingLinks) -> Answers:
        return self.answers(self.calls[recording.conversation_id])
