"""What one batch knows: which results to fetch, when a new look helps, when it can be settled."""

from __future__ import annotations

from audio_extract_dagster.extraction.collection.flight import Flight
from audio_extract_dagster.genesys import BatchResult
from audio_extract_dagster.model import Batch, BatchFailure, KnownRecord, Reason, RecordStatus
from audio_extract_dagster_tests.builders import call
from audio_extract_dagster_tests.extraction.collection.looks import (
    error,
    flight,
    keys,
    link,
    look,
)


def test_results_are_fetched_as_they_appear_each_once() -> None:
    flying = flight()
    assert keys(look(flying, link(), finished=False)) == [("c-1", "r-1")]
    assert keys(look(flying, link(), link("r-2", "c-2"))) == [("c-2", "r-2")]
    assert look(flying, link("r-2", "c-2"), link()) == []
    assert flying.downloads == 2


def test_what_is_stored_already_is_not_fetched() -> None:
    assert look(flight(KnownRecord("r-1", RecordStatus.STORED, 1)), link()) == []


def test_screens_and_chats_and_what_nobody_asked_for_are_counted_once() -> None:
    flying = flight()
    other = link("r-2", content_type="application/zip")
    screen = link("r-3", content_type="video/webm")
    stranger = link("r-4", conversation_id="c-9")
    for _ in range(2):
        look(flying, other, screen, stranger)
    assert flying.batch.ignored_count == 3
    assert flying.downloads == 0


def test_errors_are_known_by_recording_or_by_call() -> None:
    flying = flight()
    look(flying, error("r-1"), error(None, "c-2"))
    assert flying.answers(flying.calls["c-1"]).errors == {"r-1"}
    assert flying.answers(flying.calls["c-2"]).call_error


def test_an_error_that_is_gone_at_the_next_look_is_forgotten() -> None:
    flying = flight()
    look(flying, error("r-1"), error(None, "c-2"), finished=False)
    assert keys(look(flying, link(), link("r-2", "c-2"))) == [("c-1", "r-1"), ("c-2", "r-2")]
    assert not flying.answers(flying.calls["c-1"]).errors
    assert not flying.answers(flying.calls["c-2"]).call_error


def test_a_link_without_a_recording_is_an_error_of_its_call() -> None:
    flying = flight()
    assert look(flying, link(recording_id=None)) == []
    assert flying.answers(flying.calls["c-1"]).call_error


def test_a_result_with_neither_link_nor_error_is_an_error() -> None:
    flying = flight()
    look(flying, BatchResult("c-1", "r-1"), BatchResult("c-2"))
    assert flying.answers(flying.calls["c-1"]).errors == {"r-1"}
    assert flying.answers(flying.calls["c-2"]).call_error


def test_a_dead_link_is_worth_one_more_look_and_only_fresh_links_are_fetched() -> None:
    flying = flight()
    first, second = look(flying, link("r-1"), link("r-2", "c-2"))
    flying.arrived(second, None)
    assert flying.arrived(first, Reason.LINK_EXPIRED)
    assert flying.wants_look
    assert not flying.can_settle
    (again,) = look(flying, link("r-1", url="https://files.example/1?fresh"), link("r-2", "c-2"))
    assert again.key == ("c-1", "r-1")
    assert not flying.arrived(again, Reason.LINK_EXPIRED)
    assert flying.can_settle
    assert flying.answers(flying.calls["c-1"]).undelivered == {"r-1": Reason.LINK_EXPIRED}


def test_the_look_for_fresh_links_waits_for_the_other_files_of_the_batch() -> None:
    """Their links may be dead, too, and there is one such look only."""
    flying = flight()
    first, second = look(flying, link("r-1"), link("r-2", "c-2"))
    assert not flying.arrived(first, Reason.LINK_EXPIRED)
    assert not flying.wants_look
    assert not flying.can_settle
    assert flying.arrived(second, Reason.LINK_EXPIRED)
    fresh = (link("r-1", url="https://files.example/1?fresh"),
             link("r-2", "c-2", url="https://files.example/2?fresh"))  # fmt: skip
    assert len(look(flying, *fresh)) == 2


def test_the_last_file_may_arrive_well() -> None:
    flying = flight()
    first, second = look(flying, link("r-1"), link("r-2", "c-2"))
    assert not flying.arrived(first, Reason.LINK_EXPIRED)
    assert flying.arrived(second, None)
    assert flying.wants_look


def test_a_dead_link_that_is_not_signed_anew_is_not_fetched_again() -> None:
    flying = flight()
    (first,) = look(flying, link())
    flying.arrived(first, Reason.LINK_EXPIRED)
    assert look(flying, link()) == []
    assert flying.can_settle


def test_a_broken_transfer_is_no_reason_to_look() -> None:
    flying = flight()
    (first,) = look(flying, link())
    assert not flying.arrived(first, Reason.TRANSFER_BROKEN)
    assert not flying.wants_look


def test_a_batch_is_settled_when_all_is_in_and_every_file_has_arrived() -> None:
    flying = flight()
    (first,) = look(flying, link(), finished=False)
    assert flying.wants_look
    look(flying, link())
    assert not flying.can_settle
    flying.arrived(first, None)
    assert flying.can_settle


def test_fewer_results_than_announced_are_short() -> None:
    flying = flight()
    look(flying, link(), expected=2)
    assert flying.is_short
    look(flying, link(), error("r-2"), expected=2)
    assert not flying.is_short
    assert flying.batch.error_count == 1
    look(flying, link(), link("r-2"), expected=1)
    assert not flying.is_short  # more than was announced


def test_a_batch_that_broke_off_keeps_what_it_gave() -> None:
    flying = flight()
    (first,) = look(flying, link(), finished=False)
    flying.break_off(BatchFailure.DEADLINE)
    assert flying.is_short
    assert not flying.wants_look
    assert not flying.can_settle
    assert not flying.arrived(first, Reason.LINK_EXPIRED)
    assert flying.can_settle


def test_a_refused_call_is_an_error_of_the_call() -> None:
    flying = flight()
    flying.refuse("refused: bad.request")
    assert flying.can_settle
    assert all(flying.answers(each).call_error for each in flying.calls.values())


def test_ids_are_compared_as_the_database_keeps_them() -> None:
    asked = call("c\N{REPLACEMENT CHARACTER}1")
    flying = Flight(Batch("b-1", 1, ("c-1",)), {asked.conversation_id: asked}, 0, 3600)
    assert keys(look(flying, link("r\0", "c\0" + "1"))) == [
        ("c\N{REPLACEMENT CHARACTER}1", "r\N{REPLACEMENT CHARACTER}")
    ]


def test_no_link_is_shown() -> None:
    offered = look(flight(), link())
    assert "signature" not in repr(offered)


def test_the_summary_counts_in_one_line() -> None:
    flying = flight()
    (first,) = look(flying, link(), error("r-2", "c-2"))
    flying.arrived(first, None)
    flying.settled.append((flying.calls["c-2"], {"r-2": Reason.DELETED}))
    assert flying.summary() == "Batch 1: 2 calls, 1 stored, 1 deleted."
    flying.break_off(BatchFailure.JOB_GONE)
    assert flying.summary() == "Batch 1 (job_gone): 2 calls, 1 stored, 1 deleted."
