"""The listing of a day: complete or not, it never says so wrongly, and every hit is counted.

Genesys is played by an organization in memory that shows its conversations page by page, and that
does between two pages what Genesys does: conversations come, go, are repeated or slip through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.extraction.listing import (
    COLUMNS,
    MOST_HITS,
    PAGE_SIZE,
    PASSES,
    DayListing,
    TooManyHits,
)
from audio_extract_dagster.genesys import Conversation, ConversationPage
from audio_extract_dagster_tests.builders import (
    DAY,
    START,
    conversation,
    participant,
    sample_conversations,
    segment,
    session,
)

LIMA = BusinessDays(ZoneInfo("America/Lima"), DAY - timedelta(days=1000))
WINDOW = LIMA.window(DAY)
QUEUES = ("q-1",)
CUSTOMER = participant("customer", session(segment("interact")))
AGENT = participant("agent", session(segment("interact", queue_id="q-1")))

Event = Callable[["Organization"], None]


def call(number: int, start: datetime = START) -> Conversation:
    moment = start + timedelta(seconds=number)
    return conversation(CUSTOMER, AGENT, conversation_id=f"c-{number:03}", start=moment)


class Organization:
    """What the details query sees. `events` happen one by one, each before another page is read.

    `page_size` stands in for the one that is asked for, so that small days have many pages.
    """

    def __init__(
        self, conversations: Sequence[Conversation], *events: Event, page_size: int = PAGE_SIZE
    ) -> None:
        self.conversations = list(conversations)
        self.events = list(events)
        self.page_size = page_size
        self.requests: list[tuple[datetime, datetime, int]] = []
        # Past the last page the count may be left out.
        self.tells_total_past_the_end = False
        self.when_last_told: list[Conversation] = []
        # What the next page does wrong.
        self.shift = 0
        self.unreadable = 0
        self.is_empty = False

    def query_conversations(
        self,
        start: datetime,
        end: datetime,
        queue_ids: Sequence[str],
        page_number: int,
        page_size: int,
    ) -> ConversationPage:
        assert (queue_ids, page_size) == (QUEUES, PAGE_SIZE)
        self.requests.append((start, end, page_number))
        self.shift, self.unreadable, self.is_empty = 0, 0, False
        if self.events:
            self.events.pop(0)(self)
        if self.is_empty:
            return ConversationPage([], 0, 0)
        # Also what started earlier on the same day and went on.
        hits = [each for each in self.conversations if each.start < end]
        hits.sort(key=lambda each: (each.start, each.id))
        first = (page_number - 1) * self.page_size + (self.shift if page_number > 1 else 0)
        shown = hits[first : first + self.page_size]
        lost = min(self.unreadable, len(shown))
        total = len(hits) if shown or self.tells_total_past_the_end else 0
        if total:
            self.when_last_told = list(self.conversations)
        return ConversationPage(shown[lost:], total, lost)


def nothing(organization: Organization) -> None:
    pass


def repeat_one(organization: Organization) -> None:
    organization.shift = -1


def skip_one(organization: Organization) -> None:
    organization.shift = 1


def garble_one(organization: Organization) -> None:
    organization.unreadable = 1


def lose_contents(organization: Organization) -> None:
    organization.is_empty = True


def add(seconds: int) -> Event:
    """A conversation appears that started so many seconds after `START`."""

    def event(organization: Organization) -> None:
        name = f"new-{len(organization.requests)}"
        start = START + timedelta(seconds=seconds)
        organization.conversations.append(
            conversation(CUSTOMER, AGENT, conversation_id=name, start=start)
        )

    return event


def remove(position: int) -> Event:
    def event(organization: Organization) -> None:
        if organization.conversations:
            del organization.conversations[position % len(organization.conversations)]

    return event


def list_day(organization: Organization) -> tuple[list[dict[str, Any]], DayListing]:
    listing = DayListing(organization, DAY, WINDOW, QUEUES)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in listing.rows()]
    return rows, listing


def ids(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [row["conversation_id"] for row in rows]


def test_a_calm_day_is_listed_in_one_pass_until_an_empty_page() -> None:
    organization = Organization([call(n) for n in range(250)])
    rows, listing = list_day(organization)
    assert ids(rows) == [f"c-{n:03}" for n in range(250)]
    assert [page for _, _, page in organization.requests] == [1, 2, 3, 4]
    assert asdict(listing.counts) == {
        "hits": 250,
        "rows": 250,
        "other_day": 0,
        "repeated": 0,
        "not_voice": 0,
        "unreadable": 0,
        "passes": 1,
        "pages": 4,
        "complete": True,
    }


def test_a_row_has_what_the_table_needs() -> None:
    (row,), _ = list_day(Organization([call(7)]))
    assert row == {
        "conversation_id": "c-007",
        "call_date": DAY,
        "conversation_start": START + timedelta(seconds=7),
        "conversation_end": START + timedelta(minutes=7, seconds=7),
        "originating_direction": "inbound",
        "queue_ids": ["q-1"],
        "has_agent": True,
        "excluded_reason": None,
        "payload": b"{}",
    }


def test_the_day_is_half_open_and_other_days_are_counted() -> None:
    moment = timedelta(milliseconds=1)
    hits = [
        conversation(CUSTOMER, conversation_id=name, start=start)
        for name, start in (
            ("before", WINDOW.start - moment),
            ("first", WINDOW.start),
            ("last", WINDOW.end - moment),
        )
    ]
    rows, listing = list_day(Organization(hits))
    assert ids(rows) == ["first", "last"]
    assert [row["excluded_reason"] for row in rows] == ["no_agent", "no_agent"]
    assert listing.counts.other_day == 1
    assert listing.counts.complete


def test_what_is_no_voice_is_counted_and_no_row() -> None:
    chat = conversation(participant("customer", session(media_type="chat")), conversation_id="chat")
    rows, listing = list_day(Organization([chat, call(1)]))
    assert ids(rows) == ["c-001"]
    assert listing.counts.not_voice == 1
    assert listing.counts.complete


def test_a_conversation_that_stays_without_sessions_is_a_row_with_a_reason() -> None:
    rows, listing = list_day(Organization([conversation(conversation_id="bare"), call(1)]))
    assert {row["conversation_id"]: row["excluded_reason"] for row in rows}["bare"] == "no_agent"
    assert len(rows) == 2
    assert (listing.counts.passes, listing.counts.unreadable) == (2, 1)
    assert listing.counts.complete


@pytest.mark.parametrize("fault", [repeat_one, skip_one, garble_one, lose_contents])
def test_a_fault_on_one_page_costs_one_pass_and_no_call(fault: Event) -> None:
    organization = Organization([call(n) for n in range(10)], nothing, fault, page_size=4)
    rows, listing = list_day(organization)
    assert sorted(ids(rows)) == [f"c-{n:03}" for n in range(10)]
    assert listing.counts.complete
    assert listing.counts.passes == 2


def test_three_passes_count_together() -> None:
    # On each pass one of the three pages is garbled, each time another one.
    faults = [garble_one, *[nothing] * 3, nothing, garble_one, *[nothing] * 2, *[nothing] * 2]
    organization = Organization([call(n) for n in range(6)], *faults, garble_one, page_size=2)
    rows, listing = list_day(organization)
    assert sorted(ids(rows)) == [f"c-{n:03}" for n in range(6)]
    assert listing.counts.passes == PASSES
    assert listing.counts.complete


def test_a_call_that_nobody_can_read_keeps_the_day_from_being_complete() -> None:
    _, listing = list_day(Organization([call(n) for n in range(6)], *[garble_one] * 20))
    assert not listing.counts.complete
    assert listing.counts.passes == PASSES


def test_a_total_that_always_differs_is_never_complete() -> None:
    class Boasting(Organization):
        def query_conversations(self, *args: Any) -> ConversationPage:
            page = super().query_conversations(*args)
            return ConversationPage(page.conversations, page.total_hits + 1, page.unreadable)

    rows, listing = list_day(Boasting([call(1), call(2)]))
    assert len(rows) == 2
    assert not listing.counts.complete


def test_an_empty_day_is_believed_when_it_is_said_twice() -> None:
    organization = Organization([])
    rows, listing = list_day(organization)
    assert rows == []
    assert listing.counts.complete
    assert len(organization.requests) == 2


def test_an_answer_without_contents_does_not_empty_the_day() -> None:
    rows, listing = list_day(Organization([call(1), call(2)], lose_contents))
    assert ids(rows) == ["c-001", "c-002"]
    assert listing.counts.complete
    # Nor after a pass that has already found something.
    faults = [nothing, repeat_one, nothing, nothing, lose_contents]
    rows, listing = list_day(Organization([call(n) for n in range(4)], *faults, page_size=2))
    assert len(rows) == 4
    assert listing.counts.complete
    assert listing.counts.passes == PASSES


def test_hits_that_go_away_while_pages_are_read_hide_others() -> None:
    organization = Organization(
        [call(n) for n in range(4)], nothing, remove(0), nothing, page_size=2
    )
    rows, listing = list_day(organization)
    # The first pass had three distinct hits of three: 0, 1 and 3.
    assert sorted(ids(rows)) == ["c-000", "c-001", "c-002", "c-003"]
    assert listing.counts.complete
    assert listing.counts.passes == 2


class Crowd(Organization):
    """So many hits an hour that longer windows cannot be paged through."""

    def __init__(self, conversations: Sequence[Conversation], hits_per_hour: float) -> None:
        super().__init__(conversations)
        self._hits_per_hour = hits_per_hour

    def query_conversations(self, start: datetime, end: datetime, *rest: Any) -> ConversationPage:
        page = super().query_conversations(start, end, *rest)
        hits = int((end - start) / timedelta(hours=1) * self._hits_per_hour)
        if hits > MOST_HITS:
            return ConversationPage(page.conversations, hits, page.unreadable)
        return page


def test_too_many_hits_split_the_day_without_gaps_or_repeats() -> None:
    calls = [call(n, WINDOW.start + timedelta(hours=n)) for n in range(24)]
    organization = Crowd(calls, hits_per_hour=MOST_HITS / 5)
    rows, listing = list_day(organization)
    assert sorted(ids(rows)) == [f"c-{n:03}" for n in range(24)]
    assert listing.counts.complete
    pieces = sorted({(start, end) for start, end, page in organization.requests if page == 2})
    assert pieces[0][0] == WINDOW.start
    assert pieces[-1][1] == WINDOW.end
    assert all(before[1] == after[0] for before, after in pairwise(pieces))


def test_a_moment_with_too_many_hits_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(TooManyHits, match="GENESYS_QUEUE_ID"):
        list_day(Crowd([], hits_per_hour=1e15))


def test_a_listing_that_was_not_read_to_its_end_is_not_complete() -> None:
    rows = DayListing(Organization([call(1), call(2)]), DAY, WINDOW, QUEUES).as_day_rows()
    next(rows.rows)
    assert not rows.counts()["complete"]


def test_the_real_day_of_the_samples() -> None:
    organization = Organization(sample_conversations())
    day = date(2024, 2, 16)
    listing = DayListing(organization, day, LIMA.window(day), QUEUES)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in listing.rows()]
    assert listing.counts.complete
    assert len(rows) == 8
    excluded = [row["excluded_reason"] for row in rows if not row["has_agent"]]
    assert excluded == ["no_agent"]


events = st.one_of(
    st.sampled_from([nothing, repeat_one, skip_one, garble_one]),
    st.integers(-50_000, 50_000).map(add),
)
departures = st.integers(0, 30).map(remove)


def numbered(size: int, strange: set[int]) -> list[Conversation]:
    """Calls, some of them of another day or without voice."""
    chat = participant("customer", session(media_type="chat"))
    return [
        conversation(chat, conversation_id=f"c-{n:03}", start=START + timedelta(seconds=n))
        if n in strange and n % 2
        else call(n, START - timedelta(days=1) if n in strange else START)
        for n in range(size)
    ]


sizes = st.integers(0, 25)
strange_ones = st.sets(st.integers(0, 25))


@given(sizes, strange_ones, st.lists(events | departures | st.just(lose_contents), max_size=40))
def test_every_hit_is_counted_once(size: int, strange: set[int], happening: list[Event]) -> None:
    organization = Organization(numbered(size, strange), *happening, page_size=4)
    rows, listing = list_day(organization)
    counts = listing.counts
    assert counts.rows == len(rows) == len(set(ids(rows)))
    assert counts.hits == (
        counts.rows + counts.other_day + counts.repeated + counts.not_voice + counts.unreadable
    )
    assert counts.pages == len(organization.requests)


@given(
    sizes,
    strange_ones,
    st.lists(st.sampled_from([nothing, repeat_one, skip_one, garble_one, lose_contents])),
    # One change between two counts shows in them; one that goes and one that comes would not.
    st.tuples(st.lists(events | departures, max_size=40), st.just(True))
    | st.tuples(st.lists(events, max_size=40), st.just(False)),
)
def test_complete_means_that_no_call_of_the_day_is_lost(
    size: int, strange: set[int], first: list[Event], then: tuple[list[Event], bool]
) -> None:
    later, tells_total = then
    # An answer that lost its contents is told from an empty day unless it comes twice in a row.
    happening = [event for n, event in enumerate(first) if event not in first[max(0, n - 1) : n]]
    organization = Organization(numbered(size, strange), *happening, *later, page_size=4)
    organization.tells_total_past_the_end = tells_total
    rows, listing = list_day(organization)
    still_there = [
        each for each in organization.when_last_told if each in organization.conversations
    ]
    of_the_day = {
        each.id
        for each in still_there
        if each.start in WINDOW and each.participants[0].sessions[0].media_type == "voice"
    }
    if listing.counts.complete:
        assert of_the_day <= set(ids(rows))


@given(sizes, strange_ones, st.lists(st.sampled_from([repeat_one, skip_one, nothing]), max_size=4))
def test_a_day_that_calms_down_is_complete(
    size: int, strange: set[int], happening: list[Event]
) -> None:
    _, listing = list_day(Organization(numbered(size, strange), *happening, page_size=10))
    assert listing.counts.complete
