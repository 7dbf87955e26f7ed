"""What holds for the listing of any day, whatever happens between two pages."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from audio_extract_dagster.genesys import Conversation
from audio_extract_dagster_tests.builders import START, conversation, participant, session
from audio_extract_dagster_tests.extraction.organization import (
    WINDOW,
    Event,
    Organization,
    add,
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

events = st.one_of(
    st.sampled_from([nothing, repeat_one, skip_one, garble_one]),
    st.integers(-50_000, 50_000).map(add),
)
departures = st.integers(0, 30).map(remove)


def numbered(size: int, strange: set[int]) -> list[Conversation]:
    """Calls, some of them of another day, without voice, or without any session."""
    chat = participant("customer", session(media_type="chat"))

    def numbered_one(n: int) -> Conversation:
        if n not in strange:
            return call(n)
        if n % 3 == 0:
            return call(n, START - timedelta(days=1))
        customer = [chat] if n % 3 == 1 else []
        name, start = f"c-{n:03}", START + timedelta(seconds=n)
        return conversation(*customer, conversation_id=name, start=start)

    return [numbered_one(n) for n in range(size)]


def is_voice(hit: Conversation) -> bool:
    sessions = [session for each in hit.participants for session in each.sessions]
    return all(each.media_type == "voice" for each in sessions)


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
    of_the_day = {each.id for each in still_there if each.start in WINDOW and is_voice(each)}
    if listing.counts.complete:
        assert of_the_day <= set(ids(rows))


@given(sizes, strange_ones, st.lists(st.sampled_from([repeat_one, skip_one, nothing]), max_size=4))
def test_a_day_that_calms_down_is_complete(
    size: int, strange: set[int], happening: list[Event]
) -> None:
    _, listing = list_day(Organization(numbered(size, strange), *happening, page_size=10))
    assert listing.counts.complete
