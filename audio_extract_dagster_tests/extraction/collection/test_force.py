"""A batch that fetches again by force what is stored: whole, or not at all."""

from __future__ import annotations

from audio_extract_dagster.extraction.collection.flight import Flight
from audio_extract_dagster.extraction.collection.links import RecordingLinks
from audio_extract_dagster.extraction.outcomes import settle
from audio_extract_dagster.genesys import BatchJobStatus, BatchResult
from audio_extract_dagster.model import Batch, KnownRecord, Reason, RecordStatus
from audio_extract_dagster_tests.builders import NOW, call

STORED = KnownRecord("r-1", RecordStatus.STORED, 1)


def flight(parts: int) -> Flight:
    """A batch of a call whose one recording is stored in so many parts."""
    known = call("c-1", *[STORED] * parts, fetch_again=True)
    return Flight(Batch("b-1", 1, ("c-1",)), {"c-1": known}, next_look=0, deadline=3600)


def offered(flying: Flight, parts: int, *, signature: str = "1") -> list[RecordingLinks]:
    """A look at the batch, which by now offers so many parts; returns what is to be fetched."""
    results = [
        BatchResult("c-1", "r-1", f"https://files.example/{part}?{signature}", "audio/ogg")
        for part in range(parts)
    ]
    flying.looked()
    return flying.absorb(BatchJobStatus(None, parts, parts, 0, results))


def reasons(flying: Flight) -> dict[str, Reason]:
    """What is written about the call in the end."""
    known = flying.calls["c-1"]
    answers = flying.answers(known)
    return settle(known, answers, None, now=NOW)


def test_what_is_stored_is_fetched_again() -> None:
    (recording,) = offered(flight(2), 2)
    assert len(recording.links) == 2


def test_fewer_parts_than_are_stored_do_not_take_their_place() -> None:
    flying = flight(2)
    assert offered(flying, 1) == []
    assert len(offered(flying, 2)) == 1
    assert reasons(flying) == {}


def test_a_fetch_that_fails_leaves_what_is_stored() -> None:
    for reason in (Reason.TRANSFER_BROKEN, Reason.NOT_AUDIO):
        flying = flight(1)
        (recording,) = offered(flying, 1)
        flying.arrived(recording, reason)
        assert reasons(flying) == {}


def test_links_that_die_leave_it_also_after_fresh_ones() -> None:
    flying = flight(1)
    (recording,) = offered(flying, 1)
    assert flying.arrived(recording, Reason.LINK_EXPIRED)
    (again,) = offered(flying, 1, signature="2")
    assert not flying.arrived(again, Reason.LINK_EXPIRED)
    assert reasons(flying) == {}


def test_more_parts_than_are_stored_make_it_incomplete_until_they_are_there() -> None:
    flying = flight(1)
    (recording,) = offered(flying, 2)
    flying.arrived(recording, Reason.TRANSFER_BROKEN)
    assert reasons(flying) == {"r-1": Reason.TRANSFER_BROKEN}
