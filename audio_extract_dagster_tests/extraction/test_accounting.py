"""How a day adds up, and what that makes of its job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert

from audio_extract_dagster.extraction.accounting import (
    FEWEST_FAILED,
    Verdict,
    gaps,
    listing_gaps,
    verdict,
)
from audio_extract_dagster.model import DayCounts, JobStatus

WHOLE: Mapping[str, object] = {
    "hits": 25,
    "rows": 20,
    "other_day": 1,
    "repeated": 3,
    "not_voice": 1,
    "unreadable": 0,
    "passes": 1,
    "complete": True,
}
GOOD = DayCounts(conversations=20, agent_calls=15, excluded=5, stored=12, missing=4)


def ending(counts: DayCounts, listing: Mapping[str, object] = WHOLE, ceiling: float = 5) -> Verdict:
    return verdict(counts, listing, max_failed_percent=ceiling)


def test_a_day_that_adds_up_has_no_gaps() -> None:
    assert gaps(GOOD) == []
    assert listing_gaps(WHOLE) == []
    assert gaps(DayCounts()) == []


def test_each_sum_that_does_not_close_is_told() -> None:
    found = gaps(replace(GOOD, excluded=4, pending=3, reasons={"not_requested": 3}))
    assert found == [
        "20 conversations are not 15 agent calls + 4 excluded",
        "3 agent calls have no record",
    ]


def test_a_listing_that_lost_a_hit_is_told() -> None:
    (gap,) = listing_gaps({**WHOLE, "hits": 26})
    assert gap == "26 hits are not 20 rows + 1 other_day + 3 repeated + 1 not_voice + 0 unreadable"


def test_an_empty_listing_of_a_day_with_audio_is_not_believed() -> None:
    empty = {**dict.fromkeys(WHOLE, 0), "passes": 2, "complete": True}
    assert listing_gaps(empty) == listing_gaps({**empty, "kept": 0}) == []
    assert listing_gaps({**WHOLE, "kept": 7}) == []
    elsewhere = {**empty, "hits": 2, "other_day": 2, "kept": 7}
    assert (
        listing_gaps({**empty, "kept": 7})
        == listing_gaps(elsewhere)
        == ["nothing is listed, though 7 conversations of the day have audio records"]
    )


def test_a_listing_with_more_rows_than_hits_is_told() -> None:
    (gap,) = listing_gaps({**WHOLE, "hits": 24})
    assert gap.startswith("24 hits are not 20 rows")


def test_a_kind_that_a_listing_does_not_count_is_none() -> None:
    assert listing_gaps({"hits": 3, "rows": 3, "complete": True}) == []
    assert listing_gaps({"hits": 3, "rows": 3, "repeated": None, "complete": True}) == []


@pytest.mark.parametrize("status", ["stored", "pending", "missing"])
@pytest.mark.parametrize(
    ("others", "ends"),
    [(95, JobStatus.INCOMPLETE), (94, JobStatus.FAILED), (900, JobStatus.INCOMPLETE)],
)
def test_every_recording_counts_against_those_that_failed(
    status: str, others: int, ends: JobStatus
) -> None:
    """5 of 100 are 5 %, whatever became of the other 95; 5 of 99 are more."""
    counts = DayCounts(conversations=900, agent_calls=900, failed=5, reasons={})
    assert ending(convert({**asdict(counts), status: others}, DayCounts)).status is ends


def test_a_listing_that_is_not_complete_is_told_with_its_unreadable_hits() -> None:
    found = listing_gaps({**WHOLE, "complete": False, "passes": 3})
    assert len(found) == 1
    assert found[0].startswith("after 3 passes")
    assert len(listing_gaps({**WHOLE, "complete": False, "hits": 27, "unreadable": 2})) == 2


def test_a_hit_that_a_later_pass_could_read_is_no_gap() -> None:
    assert listing_gaps({**WHOLE, "hits": 26, "unreadable": 1, "passes": 2}) == []


def test_a_day_that_was_never_listed_is_no_success() -> None:
    assert ending(DayCounts(), {}) == Verdict(
        JobStatus.FAILED,
        "The day does not add up: the conversations of the day were never listed.",
    )


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        (GOOD, JobStatus.SUCCEEDED),
        (DayCounts(), JobStatus.SUCCEEDED),
        (replace(GOOD, pending=1), JobStatus.INCOMPLETE),
        (replace(GOOD, failed=1), JobStatus.INCOMPLETE),
        (replace(GOOD, stored=0, missing=0, failed=15), JobStatus.FAILED),
        (replace(GOOD, excluded=6), JobStatus.FAILED),
        (replace(GOOD, pending=1, reasons={"not_requested": 1}), JobStatus.FAILED),
    ],
)
def test_how_a_job_ends(counts: DayCounts, status: JobStatus) -> None:
    assert ending(counts).status is status


@pytest.mark.parametrize(
    ("stored", "failed", "status"),
    [
        (0, 4, JobStatus.INCOMPLETE),  # too few to mean anything
        (95, 5, JobStatus.INCOMPLETE),  # just 5 %
        (94, 5, JobStatus.FAILED),
        (950, 50, JobStatus.INCOMPLETE),
        (950, 51, JobStatus.FAILED),
    ],
)
def test_the_ceiling_of_failed_recordings(stored: int, failed: int, status: JobStatus) -> None:
    counts = DayCounts(conversations=1, agent_calls=1, stored=stored, failed=failed)
    assert ending(counts).status is status


def test_the_ceiling_can_be_moved() -> None:
    counts = DayCounts(conversations=1, agent_calls=1, stored=50, failed=50)
    assert ending(counts, ceiling=50).status is JobStatus.INCOMPLETE
    found = ending(counts, ceiling=2.5)
    assert (
        found.cause == "50 of 100 recordings failed, more than MAX_FAILED_PERCENT (2.5 %) allows."
    )


numbers = st.integers(0, 200)
reasons = st.dictionaries(st.sampled_from(["uploading", "not_requested", "deleted"]), numbers)
day_counts = st.builds(DayCounts, *[numbers] * 7, reasons=reasons)


@given(day_counts, st.booleans(), st.floats(0, 100))
def test_only_a_whole_day_succeeds(counts: DayCounts, complete: bool, ceiling: float) -> None:
    found = ending(counts, {**WHOLE, "complete": complete}, ceiling)
    adds_up = (
        complete
        and counts.conversations == counts.agent_calls + counts.excluded
        and not counts.reasons.get("not_requested")
    )
    assert found.status.is_done <= adds_up
    assert (found.status is JobStatus.FAILED) == (found.cause is not None)
    if found.status is JobStatus.SUCCEEDED:
        assert not counts.pending
        assert not counts.failed
    if adds_up and counts.failed < FEWEST_FAILED:
        assert found.status.is_done
