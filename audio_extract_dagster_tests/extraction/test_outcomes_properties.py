"""What holds for every call, whatever Genesys answered about it."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from audio_extract_dagster.extraction.outcomes import (
    Answers,
    give_up_late,
    needs_metadata,
    settle,
)
from audio_extract_dagster.genesys import RecordingMetadata
from audio_extract_dagster.model import CallToAsk, KnownRecord, Reason, RecordStatus
from audio_extract_dagster_tests.builders import NOW, call

WEEK = timedelta(days=7)
LONG_AGO = NOW - timedelta(days=30)
PENDING, FAILED = RecordStatus.PENDING, RecordStatus.FAILED
STORED, MISSING = RecordStatus.STORED, RecordStatus.MISSING

ids = st.sampled_from(["r-1", "r-2", "r-3", "r-4"])
undelivered = st.dictionaries(
    ids,
    st.sampled_from([Reason.LINK_EXPIRED, Reason.TRANSFER_BROKEN, Reason.NOT_AUDIO]),
    max_size=3,
)
all_answers = st.builds(
    Answers, st.sets(ids, max_size=2), undelivered, st.sets(ids, max_size=2), st.booleans()
).filter(lambda answers: answers.stored.isdisjoint(answers.undelivered))
file_states = st.sampled_from(
    ["AVAILABLE", "RESTORED", "UPLOADING", "RESTORING", "ARCHIVED", "DELETED", "ERROR", "?", None]
)
metadata_lists = st.lists(
    st.builds(
        RecordingMetadata,
        id=ids,
        media=st.sampled_from(["audio", "screen", None]),
        file_state=file_states,
    ),
    unique_by=lambda each: each.id,
)
moments = st.integers(0, 100 * 24).map(lambda hours: NOW - timedelta(hours=hours))
known_records = st.lists(
    st.builds(KnownRecord, ids | st.just(""), st.sampled_from(RecordStatus), st.integers(0, 9)),
    unique_by=lambda each: each.recording_id,
)


@st.composite
def calls(draw: st.DrawFn) -> CallToAsk:
    start = draw(moments)
    return call(
        "c-1",
        *draw(known_records),
        conversation_start=start,
        ended_at=draw(st.none() | st.timedeltas(timedelta(0), NOW - start).map(start.__add__)),
        answered=draw(st.booleans()),
        recording_sessions=draw(st.integers(0, 3)),
    )


@given(calls(), all_answers, metadata_lists, st.booleans(), st.booleans())
def test_every_call_is_answered_and_nothing_that_can_be_had_is_given_up(
    asked: CallToAsk,
    answers: Answers,
    metadata: list[RecordingMetadata],
    short: bool,
    broke_off: bool,
) -> None:
    needed = needs_metadata(asked, answers, batch_is_short=short or broke_off)
    reasons = settle(
        asked,
        answers,
        metadata if needed else None,
        now=NOW,
        batch_broke_off=broke_off,
    )
    reasons = give_up_late(asked, reasons, now=NOW, late_audio=WEEK)
    stored = asked.stored_ids | answers.stored
    known_ids = {record.recording_id for record in asked.records} - {""}
    assert reasons or stored or known_ids
    assert not stored & reasons.keys()
    assert "" not in reasons or (len(reasons) == 1 and not stored and not known_ids)
    # Whatever was open has a new answer, so that no record stays open unasked.
    assert asked.unsettled_ids | answers.undelivered.keys() <= stored | reasons.keys()
    deliverable = answers.undelivered.keys() | {
        recording.id
        for recording in metadata
        if needed
        and recording.media != "screen"
        and recording.file_state in ("AVAILABLE", "RESTORED")
    }
    given_up = {each for each, reason in reasons.items() if reason.status is MISSING}
    assert not given_up & deliverable
