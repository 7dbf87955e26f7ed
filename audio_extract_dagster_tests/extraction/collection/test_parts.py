"""Recordings of several parts: whole or not at all, all of them from one answer of one batch."""

from __future__ import annotations

from audio_extract_dagster.extraction.collection.flight import Flight
from audio_extract_dagster.extraction.outcomes import settle
from audio_extract_dagster.model import KnownRecord, Reason, RecordStatus
from audio_extract_dagster_tests.builders import NOW
from audio_extract_dagster_tests.extraction.collection.looks import error, flight, link, look

FIRST, SECOND = link(url="https://files.example/1"), link(url="https://files.example/2")
STORED = RecordStatus.STORED
NOT_DELIVERED = {"r-1": Reason.NOT_DELIVERED}


def reasons(flying: Flight) -> dict[str, Reason]:
    """What becomes of what is not stored of the call, where the batch says it all."""
    call = flying.calls["c-1"]
    return settle(call, flying.answers(call), None, now=NOW)


def test_several_results_of_one_recording_are_its_parts_in_their_order() -> None:
    first, second = link(url="https://files.example/1"), link(url="https://files.example/2")
    (recording,) = look(flight(), first, link("r-2", "c-2"), second)[:1]
    assert [each.url for each in recording.links] == [first.url, second.url]


def test_a_part_that_comes_later_makes_the_whole_recording_come_again() -> None:
    flying = flight()
    (single,) = look(flying, link(), finished=False)
    flying.arrived(single, None)
    assert flying.answers(flying.calls["c-1"]).stored == {"r-1"}
    (both,) = look(flying, link(), link(url="https://files.example/2?signature"))
    assert len(both.links) == 2
    assert flying.answers(flying.calls["c-1"]).stored == set()


def test_fresh_links_for_fewer_parts_are_not_the_whole_recording() -> None:
    flying = flight()
    two = (link(url="https://files.example/1?a"), link(url="https://files.example/2?a"))
    (recording,) = look(flying, *two)
    assert flying.arrived(recording, Reason.LINK_EXPIRED)
    assert look(flying, link(url="https://files.example/1?b")) == []


def test_a_part_that_is_an_error_leaves_nothing_of_its_recording_to_fetch() -> None:
    for results in ((FIRST, error("r-1")), (error("r-1"), FIRST, SECOND)):
        flying = flight()
        assert look(flying, *results) == []
        assert reasons(flying) == NOT_DELIVERED
        assert flying.answers(flying.calls["c-1"]).errors == set()


def test_what_was_an_error_and_is_a_link_by_the_last_look_is_fetched() -> None:
    flying = flight()
    look(flying, FIRST, error("r-1"), finished=False)
    (both,) = look(flying, FIRST, SECOND)
    flying.arrived(both, None)
    assert len(both.links) == 2
    assert reasons(flying) == {}


def test_a_part_that_is_stored_before_another_turns_out_an_error_does_not_count() -> None:
    flying = flight()
    (first,) = look(flying, FIRST, finished=False)
    flying.arrived(first, None)
    assert look(flying, FIRST, error("r-1")) == []
    assert reasons(flying) == NOT_DELIVERED


def test_a_part_that_arrives_after_another_turned_out_an_error_does_not_count() -> None:
    flying = flight()
    (first,) = look(flying, FIRST, finished=False)
    assert flying.offers(first)
    look(flying, FIRST, error("r-1"))
    assert not flying.offers(first)
    assert flying.offered_since(first) is None
    assert not flying.arrived(first, Reason.LINK_EXPIRED)
    assert flying.can_settle
    assert reasons(flying) == NOT_DELIVERED


def test_the_parts_that_come_after_the_error_wait_for_the_fetch_that_is_under_way() -> None:
    flying = flight()
    (first,) = look(flying, FIRST, finished=False)
    look(flying, FIRST, error("r-1"), finished=False)
    assert look(flying, FIRST, SECOND) == []
    both = flying.offered_since(first)
    assert both is not None
    assert len(both.links) == 2


def test_a_part_that_a_dead_run_stored_is_not_the_whole_if_another_is_an_error() -> None:
    flying = flight(KnownRecord("r-1", STORED, 1))
    assert look(flying, FIRST, error("r-1")) == []
    assert reasons(flying) == NOT_DELIVERED


def test_what_is_whole_stays_whatever_a_later_batch_says() -> None:
    flying = flight(KnownRecord("r-1", STORED, 1), KnownRecord("r-1", STORED, 1))
    assert look(flying, FIRST, error("r-1")) == []
    assert reasons(flying) == {}


def test_links_say_whether_a_row_may_claim_a_file_whose_place_they_take() -> None:
    flying = flight()
    (first,) = look(flying, FIRST, finished=False)
    assert not first.replaces
    flying.arrived(first, None)
    (both,) = look(flying, FIRST, SECOND, finished=False)
    assert both.replaces
    flying.arrived(both, Reason.LINK_EXPIRED)
    (fresh,) = look(flying, link(url="https://files.example/1?b"), SECOND)
    assert fresh.replaces


def test_links_in_place_of_dead_ones_replace_nothing() -> None:
    flying = flight()
    (first,) = look(flying, FIRST)
    flying.arrived(first, Reason.LINK_EXPIRED)
    (fresh,) = look(flying, link(url="https://files.example/1?b"))
    assert not fresh.replaces


def test_the_row_of_a_dead_run_is_replaced_also_after_an_error() -> None:
    flying = flight(KnownRecord("r-1", STORED, 1))
    look(flying, FIRST, error("r-1"), finished=False)
    (both,) = look(flying, FIRST, SECOND)
    assert both.replaces
