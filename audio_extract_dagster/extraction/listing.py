"""The listing of a day: every voice conversation that started on it, each exactly once.

Genesys pages over data that moves: an item can be repeated on the next page or slip between two.
So a pass over the pages counts only if it adds up, and is repeated if it does not. Rows stream out
as pages come in. What a call is, is decided in `extraction/agent_calls.py`; where rows go, in
`database/day_tables/`.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Protocol

from audio_extract_dagster.business_days import Window
from audio_extract_dagster.database.day_tables import DayRows
from audio_extract_dagster.errors import Never
from audio_extract_dagster.extraction import agent_calls
from audio_extract_dagster.genesys import Conversation, ConversationPage

log = logging.getLogger(__name__)

# The most that the details query can page through.
MOST_HITS = 100_000
PAGE_SIZE = 100
PASSES = 3

COLUMNS = (
    "conversation_id",
    "call_date",
    "conversation_start",
    "conversation_end",
    "originating_direction",
    "queue_ids",
    "has_agent",
    "excluded_reason",
    "payload",
)


class ConversationSource(Protocol):
    """The one call that a listing makes; `GenesysClient` has it."""

    def query_conversations(
        self,
        start: datetime,
        end: datetime,
        queue_ids: Sequence[str],
        page_number: int,
        page_size: int,
    ) -> ConversationPage: ...


@dataclass
class ListingCounts:
    """What a listing says of itself: `hits = rows + other_day + repeated + not_voice + unreadable`.

    `complete` is False while no pass has added up: then calls may be missing from the rows.
    """

    hits: int = 0
    rows: int = 0
    other_day: int = 0
    repeated: int = 0
    not_voice: int = 0
    unreadable: int = 0
    passes: int = 0
    pages: int = 0
    complete: bool = False


Row = tuple[object, ...]


class TooManyHits(Never):
    """More hits than can be paged through in a window that cannot be made smaller."""


@dataclass(frozen=True)
class Pass:
    """The result of paging once through one window; `totals` is what Genesys counted meanwhile."""

    ids: set[str]
    totals: list[int]
    clean: bool

    def adds_up(self) -> bool:
        return self.clean and _are_all(self.ids, self.totals)


class DayListing:
    """Lists one day. Iterate `rows()` to its end, then read `counts`."""

    def __init__(
        self, source: ConversationSource, day: date, window: Window, queue_ids: Sequence[str]
    ) -> None:
        self._source = source
        self._day = day
        self._window = window
        self._queue_ids = queue_ids
        self._seen: set[str] = set()
        self._without_sessions: set[str] = set()
        self.counts = ListingCounts()

    def as_day_rows(self) -> DayRows:
        """The listing as a stream for the table `conversations`."""
        return DayRows(COLUMNS, self.rows(), lambda: asdict(self.counts))

    def rows(self) -> Generator[Row, None, None]:
        """Rows in the order of `COLUMNS`, no conversation twice."""
        self.counts.complete = yield from self._list(self._window)

    def _list(self, window: Window) -> Generator[Row, None, bool]:
        """Yields the rows of one window; returns whether its listing is complete.

        It is after a pass that adds up, or if all passes together do, and whatever came without
        sessions came again. Nothing at all counts when it is said twice: an answer that lost its
        contents looks like an empty day.
        """
        union: set[str] = set()
        totals: list[int] = []
        found_nothing = False
        for attempt in range(1, PASSES + 1):
            self.counts.passes = max(self.counts.passes, attempt)
            result = yield from self._page_through(window)
            if result is None:
                return (yield from self._list_halves(window))
            union |= result.ids
            totals += result.totals
            if result.adds_up() and (result.ids or found_nothing) and self._has_read(union):
                return True
            found_nothing = result.adds_up() and not union
            self._log_pass(attempt, result)
        return bool(union) and _are_all(union, totals) and self._has_read(union)

    def _log_pass(self, attempt: int, result: Pass) -> None:
        if result.adds_up():
            log.info("Genesys lists no conversation of %s; asking again to be sure.", self._day)
            return
        log.warning(
            "Pass %d of %d over the conversations of %s does not add up: %d distinct, "
            "Genesys counts %s%s.",
            attempt,
            PASSES,
            self._day,
            len(result.ids),
            ", then ".join(map(str, dict.fromkeys(result.totals))) or "none",
            "" if result.clean else "; some were repeated or unreadable",
        )

    def _list_halves(self, window: Window) -> Generator[Row, None, bool]:
        middle = window.start + (window.end - window.start) / 2
        # The query takes milliseconds: a border that it rounds must not open a gap.
        middle = middle.replace(microsecond=middle.microsecond // 1000 * 1000)
        if middle <= window.start:
            raise TooManyHits(
                f"Genesys reports more than {MOST_HITS:,} conversations for one moment of "
                f"{self._day}. Narrow GENESYS_QUEUE_ID, or ask Genesys support."
            )
        first = yield from self._list(Window(window.start, middle))
        second = yield from self._list(Window(middle, window.end))
        return first and second

    def _page_through(self, window: Window) -> Generator[Row, None, Pass | None]:
        """One pass over the pages; returns None when there are too many hits for that."""
        ids: set[str] = set()
        totals: list[int] = []
        clean = True
        for page_number in range(1, MOST_HITS // PAGE_SIZE + 1):
            page = self._source.query_conversations(
                window.start, window.end, self._queue_ids, page_number, PAGE_SIZE
            )
            self.counts.pages += 1
            if page.total_hits > MOST_HITS:
                return None
            if page.total_hits:  # past the last page a server may leave the count out
                totals.append(page.total_hits)
            if not page.conversations and not page.unreadable:
                break
            clean = clean and not page.unreadable
            self.counts.hits += len(page.conversations) + page.unreadable
            self.counts.unreadable += page.unreadable
            for conversation in page.conversations:
                clean = clean and conversation.id not in ids
                ids.add(conversation.id)
                if self._lost_its_sessions(conversation):
                    clean = False
                    self.counts.unreadable += 1
                elif self._is_new_call_of_the_day(conversation):
                    yield self._row(conversation)
        return Pass(ids, totals, clean)

    def _lost_its_sessions(self, conversation: Conversation) -> bool:
        """Whether it comes without any session, and was not seen so before.

        Whether an agent took part cannot be told then: it is listed again before it is believed.
        """
        if conversation.id in self._seen or conversation.id in self._without_sessions:
            return False
        if any(participant.sessions for participant in conversation.participants):
            return False
        self._without_sessions.add(conversation.id)
        return True

    def _has_read(self, ids: set[str]) -> bool:
        """Whether each of these that came without sessions came again, and so was believed."""
        return self._without_sessions & ids <= self._seen

    def _is_new_call_of_the_day(self, conversation: Conversation) -> bool:
        if conversation.id in self._seen:
            self.counts.repeated += 1
            return False
        self._seen.add(conversation.id)
        if conversation.start not in self._window:
            self.counts.other_day += 1
            return False
        if not agent_calls.is_voice(conversation):
            self.counts.not_voice += 1
            return False
        self.counts.rows += 1
        return True

    def _row(self, conversation: Conversation) -> Row:
        excluded_reason = agent_calls.why_excluded(conversation)
        return (
            conversation.id,
            self._day,
            conversation.start,
            conversation.end,
            conversation.originating_direction,
            agent_calls.queue_ids(conversation),
            excluded_reason is None,
            excluded_reason,
            conversation.payload,
        )


def _are_all(ids: set[str], totals: list[int]) -> bool:
    """Whether these are as many as Genesys counted last, and it never counted fewer than before.

    A hit that goes away lets another one move up to a page that was read already.
    """
    return len(ids) == (totals[-1] if totals else 0) and totals == sorted(totals)
