"""What becomes of a recording: every call is answered, and what can be had is not given up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audio_extract_dagster.extraction.outcomes import (
    METADATA_LAG,
    NEVER_CLOSED_AFTER,
    Answers,
    leave_unsettled,
    needs_metadata,
)
from audio_extract_dagster.model import CallToAsk, KnownRecord, Reason, RecordStatus
from audio_extract_dagster_tests.builders import NOW, call
from audio_extract_dagster_tests.extraction.reasons import listed, outcome

PENDING, FAILED = RecordStatus.PENDING, RecordStatus.FAILED
STORED, MISSING = RecordStatus.STORED, RecordStatus.MISSING


# When Genesys is asked for metadata


@pytest.mark.parametrize(
    ("call_asked", "answers", "short"),
    [
        (call(), Answers(), False),
        (call(recording_sessions=0), Answers(), False),
        (call(), Answers({"r-1"}), True),
        (call(), Answers({"r-1"}, call_error=True), False),
        (call(), Answers({"r-1"}, errors={"r-2"}), False),
        (call(recording_sessions=2), Answers({"r-1"}), False),
        (call("c-1", KnownRecord("r-2", PENDING, 1)), Answers({"r-1"}), False),
    ],
)
def test_metadata_is_asked_where_something_does_not_add_up(
    call_asked: CallToAsk, answers: Answers, short: bool
) -> None:
    assert needs_metadata(call_asked, answers, batch_is_short=short)


@pytest.mark.parametrize(
    ("call_asked", "answers"),
    [
        (call(), Answers({"r-1"})),
        (call(), Answers({"r-1", "r-2"})),
        (call(), Answers(undelivered={"r-1": Reason.TRANSFER_BROKEN})),
        (call(recording_sessions=2), Answers({"r-1"}, {"r-2": Reason.LINK_EXPIRED})),
        (
            call("c-1", KnownRecord("r-1", STORED, 1), KnownRecord("r-2", FAILED, 1)),
            Answers({"r-2"}),
        ),
        (call("c-1", KnownRecord("r-1", PENDING, 1)), Answers({"r-1"})),
    ],
)
def test_metadata_is_not_asked_where_the_batch_says_it_all(
    call_asked: CallToAsk, answers: Answers
) -> None:
    assert not needs_metadata(call_asked, answers, batch_is_short=False)


# The reason for each recording


@pytest.mark.parametrize(
    ("file_state", "reason"),
    [
        ("UPLOADING", Reason.UPLOADING),
        ("RESTORING", Reason.RESTORING),
        ("ARCHIVED", Reason.ARCHIVED),
        ("DELETED", Reason.DELETED),
        ("ERROR", Reason.ERROR_STATE),
        ("AVAILABLE", Reason.NOT_DELIVERED),
        ("RESTORED", Reason.NOT_DELIVERED),
        ("available", Reason.NOT_DELIVERED),
        ("A_STATE_OF_TOMORROW", Reason.UNKNOWN_STATE),
        (None, Reason.UNKNOWN_STATE),
    ],
)
def test_the_state_of_the_file_gives_the_reason(file_state: str | None, reason: Reason) -> None:
    assert outcome(call(), listed(file_state)) == {"r-1": reason}


def test_what_is_stored_has_no_reason() -> None:
    known = call("c-1", KnownRecord("r-1", STORED, 1))
    metadata = [listed("AVAILABLE"), listed("AVAILABLE", "r-2"), listed("DELETED", "r-3")]
    assert outcome(known, *metadata, answers=Answers({"r-2"})) == {"r-3": Reason.DELETED}


def test_an_available_recording_is_pending_if_its_batch_broke_off() -> None:
    found = outcome(call(), listed("AVAILABLE"), batch_broke_off=True)
    assert found == {"r-1": Reason.BATCH_UNFINISHED}


@pytest.mark.parametrize("file_state", ["AVAILABLE", "ARCHIVED", "DELETED", "UPLOADING", None])
def test_a_link_counts_for_more_than_the_state_of_the_file(file_state: str | None) -> None:
    offered = Answers(undelivered={"r-1": Reason.TRANSFER_BROKEN})
    assert outcome(call(), listed(file_state), answers=offered) == {"r-1": Reason.TRANSFER_BROKEN}


@pytest.mark.parametrize("media", ["screen", "chat", "Email", "message"])
def test_other_media_get_no_row_of_their_own(media: str) -> None:
    other = listed("AVAILABLE", "r-2", media)
    assert outcome(call(recording_sessions=0), other) == {"": Reason.NOT_RECORDED}
    assert outcome(call(), other, answers=Answers({"r-1"}, errors={"r-2"})) == {}


def test_an_unknown_medium_may_be_voice() -> None:
    assert outcome(call(), listed("UPLOADING", media=None)) == {"r-1": Reason.UPLOADING}


@pytest.mark.parametrize(
    ("hours_since_end", "reason"),
    [(23, Reason.NOT_LISTED_YET), (24, Reason.WITHDRAWN), (25, Reason.WITHDRAWN)],
)
def test_a_recording_that_is_heard_of_and_not_listed(hours_since_end: int, reason: Reason) -> None:
    ended_at = NOW - timedelta(hours=hours_since_end)
    before = call("c-1", KnownRecord("r-1", PENDING, 1), ended_at=ended_at)
    assert outcome(before) == {"r-1": reason}
    named = Answers(errors={"r-1"})
    assert outcome(call("c-1", ended_at=ended_at), answers=named) == {"r-1": reason}


# A call without any recording


def test_a_call_with_a_recording_that_was_given_up_is_not_without_recordings() -> None:
    before = call("c-1", KnownRecord("r-1", MISSING, 1), KnownRecord("", FAILED, 1))
    assert outcome(before) == {}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, Reason.NOT_LISTED_YET),
        ({"ended_at": NOW - METADATA_LAG}, Reason.NOT_RECORDED),
        ({"recording_sessions": 0}, Reason.NOT_RECORDED),
        ({"recording_sessions": 0, "answered": False}, Reason.NOT_ANSWERED),
        ({"answered": False}, Reason.NOT_LISTED_YET),
        ({"ended_at": None}, Reason.CALL_OPEN),
        ({"ended_at": None, "conversation_start": NOW - NEVER_CLOSED_AFTER}, Reason.NEVER_CLOSED),
    ],
)
def test_a_call_without_recordings_has_one_reason(fields: dict[str, Any], reason: Reason) -> None:
    ended = {"ended_at": NOW - timedelta(hours=23)}
    assert outcome(call("c-1", **{**ended, **fields})) == {"": reason}


# A batch that broke off, before the calls are asked for again


def test_a_batch_that_broke_off_leaves_everything_pending() -> None:
    before = call("c-1", KnownRecord("r-1", PENDING, 1), KnownRecord("r-2", MISSING, 1))
    answers = Answers(undelivered={"r-3": Reason.LINK_EXPIRED}, errors={"r-4"})
    assert leave_unsettled(before, answers) == {
        "r-1": Reason.BATCH_UNFINISHED,
        "r-3": Reason.LINK_EXPIRED,
        "r-4": Reason.BATCH_UNFINISHED,
    }
    assert leave_unsettled(call(), Answers()) == {"": Reason.BATCH_UNFINISHED}


def test_a_recording_that_was_told_twice_counts_once() -> None:
    before = call("c-1", KnownRecord("r-1", STORED, 1), KnownRecord("r-2", PENDING, 1))
    answers = Answers({"r-1"}, errors={"r-1", "r-2"})
    assert leave_unsettled(before, answers) == {"r-2": Reason.BATCH_UNFINISHED}


def test_what_is_not_known_of_a_call_with_audio_is_never_final() -> None:
    whole, forbidden = call("c-1", KnownRecord("r-1", STORED, 1)), Reason.NO_PERMISSION
    assert leave_unsettled(whole, Answers(), forbidden) == {"": Reason.BATCH_UNFINISHED}
    assert leave_unsettled(whole, Answers(call_error=True), forbidden) == {"": forbidden}
    assert leave_unsettled(call(), Answers(), forbidden) == {"": forbidden}


def test_every_reason_has_its_own_code() -> None:
    assert len({reason.code for reason in Reason}) == len(Reason)
    assert {reason.status for reason in Reason} == {PENDING, MISSING, FAILED}
