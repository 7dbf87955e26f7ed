"""What becomes of a recording: every call is answered, and what can be had is not given up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from audio_extract_dagster.extraction.outcomes import (
    LISTING_LAG,
    NEVER_CLOSED_AFTER,
    Answers,
    give_up_late,
    needs_metadata,
    settle,
    unfinished,
)
from audio_extract_dagster.genesys import RecordingMetadata
from audio_extract_dagster.model import CallToAsk, KnownRecord, Reason, RecordStatus
from audio_extract_dagster_tests.builders import NOW, START, call

WEEK = timedelta(days=7)
LONG_AGO = NOW - timedelta(days=30)
PENDING, FAILED = RecordStatus.PENDING, RecordStatus.FAILED
STORED, MISSING = RecordStatus.STORED, RecordStatus.MISSING


def listed(
    file_state: str | None, recording_id: str = "r-1", media: str | None = "audio"
) -> RecordingMetadata:
    return RecordingMetadata(id=recording_id, media=media, file_state=file_state)


def outcome(
    call: CallToAsk,
    *metadata: RecordingMetadata,
    answers: Answers | None = None,
    batch_broke_off: bool = False,
) -> Mapping[str, Reason]:
    reasons = settle(call, answers or Answers(), metadata, now=NOW, batch_broke_off=batch_broke_off)
    return give_up_late(call, reasons, now=NOW, late_audio=WEEK)


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
        ({"ended_at": NOW - LISTING_LAG}, Reason.NOT_RECORDED),
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


# When it is too late


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
    in_time = call("c-1", KnownRecord("r-1", PENDING, 5, NOW - WEEK), **ended)
    assert outcome(in_time, listed("UPLOADING")) == {"r-1": Reason.UPLOADING}
    earlier = NOW - WEEK - timedelta(seconds=1)
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


# A batch that broke off, before the calls are asked for again


def test_a_batch_that_broke_off_leaves_everything_pending() -> None:
    before = call("c-1", KnownRecord("r-1", PENDING, 1), KnownRecord("r-2", MISSING, 1))
    answers = Answers(undelivered={"r-3": Reason.LINK_EXPIRED}, errors={"r-4"})
    assert unfinished(before, answers) == {
        "r-1": Reason.BATCH_UNFINISHED,
        "r-3": Reason.LINK_EXPIRED,
        "r-4": Reason.BATCH_UNFINISHED,
    }
    assert unfinished(call(), Answers()) == {"": Reason.BATCH_UNFINISHED}


@pytest.mark.parametrize("recording_id", ["r-1", ""])
def test_what_nobody_says_the_last_word_about_is_not_waited_for_longer(recording_id: str) -> None:
    ended = {"conversation_start": LONG_AGO, "ended_at": LONG_AGO}
    late = call("c-1", KnownRecord(recording_id, PENDING, 5, LONG_AGO), **ended)
    reasons = unfinished(late, Answers())
    assert reasons == {recording_id: Reason.BATCH_UNFINISHED}
    given_up = give_up_late(late, reasons, now=NOW, late_audio=WEEK)
    assert given_up == {recording_id: Reason.NOT_DELIVERED}
    assert give_up_late(call(), reasons, now=NOW, late_audio=WEEK) == reasons


def test_a_recording_that_was_told_twice_counts_once() -> None:
    before = call("c-1", KnownRecord("r-1", STORED, 1), KnownRecord("r-2", PENDING, 1))
    answers = Answers({"r-1"}, errors={"r-1", "r-2"})
    assert unfinished(before, answers) == {"r-2": Reason.BATCH_UNFINISHED}


def test_what_is_not_known_of_a_call_with_audio_is_never_final() -> None:
    whole, forbidden = call("c-1", KnownRecord("r-1", STORED, 1)), Reason.NO_PERMISSION
    assert unfinished(whole, Answers(), forbidden) == {"": Reason.BATCH_UNFINISHED}
    assert unfinished(whole, Answers(call_error=True), forbidden) == {"": forbidden}
    assert unfinished(call(), Answers(), forbidden) == {"": forbidden}


def test_every_reason_has_its_own_code() -> None:
    assert len({reason.code for reason in Reason}) == len(Reason)
    assert {reason.status for reason in Reason} == {PENDING, MISSING, FAILED}
    assert START < NOW
