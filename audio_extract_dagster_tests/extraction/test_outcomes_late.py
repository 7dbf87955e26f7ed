"""When a recording has been waited for too long, and what it is then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audio_extract_dagster.extraction.outcomes import (
    NEVER_CLOSED_AFTER,
    Answers,
    give_up_late,
    leave_unsettled,
)
from audio_extract_dagster.model import KnownRecord, Reason, RecordStatus
from audio_extract_dagster_tests.builders import NOW, call
from audio_extract_dagster_tests.extraction.reasons import LATE_AUDIO, listed, outcome

LONG_AGO = NOW - timedelta(days=30)
PENDING, MISSING = RecordStatus.PENDING, RecordStatus.MISSING


@pytest.mark.parametrize(
    ("file_state", "reason"),
    [
        ("UPLOADING", Reason.LATE_AUDIO_EXPIRED),
        ("RESTORING", Reason.LATE_AUDIO_EXPIRED),
        (None, Reason.LATE_AUDIO_EXPIRED),
        ("DELETED", Reason.DELETED),
        # Genesys has it: that we have not is no reason to stop asking.
        ("AVAILABLE", Reason.NOT_DELIVERED),
    ],
)
def test_late_audio_is_given_up_unless_it_can_be_had(
    file_state: str | None, reason: Reason
) -> None:
    ended = {"conversation_start": LONG_AGO, "ended_at": LONG_AGO}
    late = call("c-1", KnownRecord("r-1", PENDING, 5, LONG_AGO), **ended)
    assert outcome(late, listed(file_state)) == {"r-1": reason}


@pytest.mark.parametrize("reason", [Reason.LINK_EXPIRED, Reason.BATCH_UNFINISHED])
def test_late_audio_that_was_offered_is_our_failure(reason: Reason) -> None:
    ended = {"conversation_start": LONG_AGO, "ended_at": LONG_AGO}
    late = call("c-1", KnownRecord("r-1", PENDING, 5, LONG_AGO), **ended)
    offered = Answers(undelivered={"r-1": reason})
    assert outcome(late, answers=offered) == {"r-1": Reason.NOT_DELIVERED}


def test_the_days_count_from_the_first_request_to_the_last_second() -> None:
    ended = {"conversation_start": LONG_AGO, "ended_at": LONG_AGO}
    in_time = call("c-1", KnownRecord("r-1", PENDING, 5, NOW - LATE_AUDIO), **ended)
    assert outcome(in_time, listed("UPLOADING")) == {"r-1": Reason.UPLOADING}
    earlier = NOW - LATE_AUDIO - timedelta(seconds=1)
    too_late = call("c-1", KnownRecord("r-1", PENDING, 5, earlier), **ended)
    assert outcome(too_late, listed("UPLOADING")) == {"r-1": Reason.LATE_AUDIO_EXPIRED}


def test_a_recording_that_is_new_is_not_late_because_another_is() -> None:
    ended = {"conversation_start": LONG_AGO, "ended_at": LONG_AGO}
    late = call("c-1", KnownRecord("r-1", PENDING, 5, LONG_AGO), **ended)
    assert outcome(late, listed("UPLOADING"), listed("UPLOADING", "r-2")) == {
        "r-1": Reason.LATE_AUDIO_EXPIRED,
        "r-2": Reason.UPLOADING,
    }


@pytest.mark.parametrize("order", [1, -1])
def test_each_recording_is_late_by_its_own_first_request(order: int) -> None:
    ended = {"conversation_start": LONG_AGO, "ended_at": LONG_AGO}
    known = (KnownRecord("r-1", PENDING, 5, LONG_AGO), KnownRecord("r-2", PENDING, 5, NOW))[::order]
    assert outcome(
        call("c-1", *known, **ended), listed("UPLOADING"), listed("UPLOADING", "r-2")
    ) == {
        "r-1": Reason.LATE_AUDIO_EXPIRED,
        "r-2": Reason.UPLOADING,
    }


def test_a_call_that_was_open_for_weeks_is_not_late_when_it_closes() -> None:
    known = KnownRecord("r-1", PENDING, 5, LONG_AGO)
    asked = {"conversation_start": LONG_AGO}
    still_open = call("c-1", known, ended_at=None, **asked)
    assert outcome(still_open, listed("UPLOADING")) == {"r-1": Reason.UPLOADING}
    just_closed = call("c-1", known, ended_at=NOW - timedelta(hours=3), **asked)
    assert outcome(just_closed, listed("UPLOADING")) == {"r-1": Reason.UPLOADING}


@pytest.mark.parametrize("days_more", [0, 1])
def test_a_call_that_never_closes_is_late_in_the_end(days_more: int) -> None:
    started = {"conversation_start": NOW - NEVER_CLOSED_AFTER - timedelta(days=days_more)}
    stuck = call("c-1", KnownRecord("r-1", PENDING, 5, LONG_AGO), ended_at=None, **started)
    assert outcome(stuck, listed("UPLOADING")) == {"r-1": Reason.LATE_AUDIO_EXPIRED}
    assert outcome(call("c-1", ended_at=None, **started)) == {"": Reason.NEVER_CLOSED}


@pytest.mark.parametrize("recording_id", ["r-1", ""])
def test_what_nobody_says_the_last_word_about_is_not_waited_for_longer(recording_id: str) -> None:
    ended = {"conversation_start": LONG_AGO, "ended_at": LONG_AGO}
    late = call("c-1", KnownRecord(recording_id, PENDING, 5, LONG_AGO), **ended)
    reasons = leave_unsettled(late, Answers())
    assert reasons == {recording_id: Reason.BATCH_UNFINISHED}
    given_up = give_up_late(late, reasons, now=NOW, late_audio=LATE_AUDIO)
    assert given_up == {recording_id: Reason.NOT_DELIVERED}
    assert give_up_late(call(), reasons, now=NOW, late_audio=LATE_AUDIO) == reasons


# What was given up, when its call is asked for because of something else

GIVEN_UP = KnownRecord("r-1", MISSING, 5, LONG_AGO)


@pytest.mark.parametrize("file_state", ["UPLOADING", "RESTORING", None])
def test_what_was_given_up_is_not_waited_for_again(file_state: str | None) -> None:
    asked = call("c-1", GIVEN_UP, KnownRecord("r-2", PENDING, 1, NOW))
    assert outcome(asked, listed(file_state), listed("UPLOADING", "r-2")) == {
        "r-2": Reason.UPLOADING
    }


def test_what_was_given_up_and_is_only_named_stays_so() -> None:
    asked = call("c-1", GIVEN_UP, ended_at=NOW)
    named = Answers({"r-2"}, errors={"r-1"})
    assert outcome(asked, answers=named) == {}
    assert leave_unsettled(asked, Answers(errors={"r-1"})) == {"": Reason.BATCH_UNFINISHED}


def test_what_was_given_up_and_can_be_had_after_all_is_asked_for() -> None:
    asked = call("c-1", GIVEN_UP)
    assert outcome(asked, listed("AVAILABLE")) == {"r-1": Reason.NOT_DELIVERED}
    broke_off = outcome(asked, listed("AVAILABLE"), batch_broke_off=True)
    assert broke_off == {"r-1": Reason.BATCH_UNFINISHED}
    offered = Answers(undelivered={"r-1": Reason.LINK_EXPIRED})
    assert outcome(asked, answers=offered) == {"r-1": Reason.LINK_EXPIRED}


def test_what_was_given_up_is_waited_for_by_force() -> None:
    asked = call("c-1", GIVEN_UP, fetch_again=True)
    assert outcome(asked, listed("UPLOADING")) == {"r-1": Reason.UPLOADING}
    named = Answers(errors={"r-1"})
    assert leave_unsettled(asked, named) == {"r-1": Reason.BATCH_UNFINISHED}
