"""The listing of a day: complete or not, and it never says so wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from audio_extract_dagster.extraction.listing import (
    COLUMNS,
    MOST_HITS,
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
    session,
)
from audio_extract_dagster_tests.extraction.organization import (
    CUSTOMER,
    LIMA,
    QUEUES,
    WINDOW,
    Event,
    Organization,
    call,
    garble_one,
    ids,
    list_day,
    lose_contents,
    nothing,
    remove,
    repeat_one,
    skip_one,
)


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


def test_a_hit_that_only_came_without_sessions_keeps_the_day_from_being_complete() -> None:
    """As many ids as Genesys counts, and no row for one of them."""
    bare = conversation(conversation_id="bare")
    rows, listing = list_day(Organization([bare], nothing, nothing, remove(0)))
    assert (rows, listing.counts.unreadable) == ([], 1)
    assert not listing.counts.complete
    # Also if a pass without it adds up: where it went is not known.
    rows, listing = list_day(Organization([bare, call(1)], nothing, nothing, remove(0)))
    assert ids(rows) == ["c-001"]
    assert not listing.counts.complete
    assert listing.counts.passes == PASSES


def test_a_conversation_of_another_day_may_come_without_sessions_too() -> None:
    before = conversation(conversation_id="bare", start=WINDOW.start - timedelta(days=1))
    rows, listing = list_day(Organization([before, call(1)]))
    assert ids(rows) == ["c-001"]
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
