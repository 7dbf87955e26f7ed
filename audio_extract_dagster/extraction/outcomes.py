"""What becomes of a recording: the rules that choose the reason why it is not stored.

Pure rules: no request, no database. The answers that feed them are gathered in
`collection/flight.py` and `collection/settling.py`; how a person reads a reason is in
`notify/texts.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audio_extract_dagster.genesys import RecordingMetadata
from audio_extract_dagster.model import CallToAsk, Reason, RecordStatus

# The recording of a session that says it was recorded may be listed late; after this it will not.
METADATA_LAG = timedelta(hours=24)
# Stuck conversations were seen to be closed some 60 days after their start.
NEVER_CLOSED_AFTER = timedelta(days=70)


# A new batch within the same run may well bring these.
ASK_AGAIN_IN_RUN = frozenset(
    {
        Reason.LINK_EXPIRED,
        Reason.BATCH_UNFINISHED,
        Reason.NOT_DELIVERED,
        Reason.TRANSFER_BROKEN,
        Reason.NOT_AUDIO,
        Reason.METADATA_UNREADABLE,
    }
)

_BY_FILE_STATE = {
    "UPLOADING": Reason.UPLOADING,
    "RESTORING": Reason.RESTORING,
    "ARCHIVED": Reason.ARCHIVED,
    "DELETED": Reason.DELETED,
    "ERROR": Reason.ERROR_STATE,
}
_DELIVERABLE = frozenset({"AVAILABLE", "RESTORED"})
# What Genesys would give, and we did not get.
_OFFERED = frozenset({Reason.LINK_EXPIRED, Reason.BATCH_UNFINISHED})
_NOT_AUDIO_MEDIA = frozenset({"screen", "chat", "email", "message"})


@dataclass
class Answers:
    """What one batch, and the downloads it led to, said about one call."""

    stored: set[str] = field(default_factory=set)
    undelivered: dict[str, Reason] = field(default_factory=dict)
    errors: set[str] = field(default_factory=set)
    call_error: bool = False


def needs_metadata(call: CallToAsk, answers: Answers, *, batch_is_short: bool) -> bool:
    """Whether the answers do not add up, so that Genesys is asked for the call's metadata.

    `batch_is_short`: the batch gave fewer results than it announced, in whichever call.
    """
    seen = call.stored_ids | answers.stored | answers.undelivered.keys()
    return (
        batch_is_short
        or answers.call_error
        or bool(answers.errors)
        or not seen
        or len(seen) < call.recording_sessions
        or not call.unsettled_ids <= seen
    )


def settle(
    call: CallToAsk,
    answers: Answers,
    metadata: Sequence[RecordingMetadata] | None,
    *,
    now: datetime,
    batch_broke_off: bool = False,
) -> dict[str, Reason]:
    """The reason for each recording of `call` that is not stored, by recording id.

    The id is `""` in the one entry of a call of which no recording is known by its id. `metadata`
    is None where the answers added up (see `needs_metadata`). A link in the batch counts for more
    than what metadata says: what was offered can be had. What was given up is not waited for again,
    unless it can be had after all.
    """
    stored = call.stored_ids | answers.stored
    reasons = {rid: reason for rid, reason in answers.undelivered.items() if rid not in stored}
    if metadata is not None:
        reasons |= _by_metadata(call, metadata, stored | reasons.keys(), batch_broke_off)
        not_ours = {recording.id for recording in metadata if not is_audio(recording)}
        named = answers.errors - not_ours - call.given_up_ids
        unlisted = (named | call.unsettled_ids) - stored - reasons.keys()
        reasons |= dict.fromkeys(unlisted, _without_metadata(call, now))
    if not reasons and not stored and not any(known.recording_id for known in call.records):
        reasons[""] = _without_recording(call, now)
    return reasons


def may_have_more(call: CallToAsk, answered: Collection[str], *, asked_at: datetime) -> bool:
    """Whether a call that has its answer may get recordings that nobody has listed yet.

    It may if it had not ended when it was asked for. And for a day after its end, if it was asked
    for before it ended, or has fewer recordings than sessions that say they were recorded.
    `answered` are the ids of the recordings in the answer, which is as old as `asked_at`.
    """
    if call.ended_at is None:
        return asked_at - call.conversation_start < NEVER_CLOSED_AFTER
    if call.ended_at > asked_at:
        return True
    known = {*answered, *(record.recording_id for record in call.records)} - {""}
    expects_more = call.may_have_more or len(known) < call.recording_sessions
    return expects_more and not _ended_long_ago(call, asked_at)


def leave_unsettled(
    call: CallToAsk, answers: Answers, reason: Reason = Reason.BATCH_UNFINISHED
) -> dict[str, Reason]:
    """The reasons for a call of which not all was told: `reason` for whatever that leaves open.

    These are the recordings that were named and not answered or, if there are none, the call
    itself. What a link was given for keeps its own reason, and what is stored stays so.
    """
    stored = call.stored_ids | answers.stored
    named = answers.errors - call.given_up_ids
    unsettled = dict.fromkeys(named | call.unsettled_ids, reason) | answers.undelivered
    reasons = {rid: why for rid, why in unsettled.items() if rid not in stored}
    if reasons:
        return reasons
    if reason.status is RecordStatus.MISSING and stored and not answers.call_error:
        # Nothing says that the call has anything else: no reason to be final.
        return {"": Reason.BATCH_UNFINISHED}
    return {"": reason}


def give_up_late(
    call: CallToAsk, reasons: Mapping[str, Reason], *, now: datetime, late_audio: timedelta
) -> dict[str, Reason]:
    """The reasons, final for what has been waited for too long.

    That is once `late_audio` has passed since it was first asked for and its call has ended.
    """
    return {
        recording_id: _given_up(reason)
        if _is_too_late(call, recording_id, now, late_audio)
        else reason
        for recording_id, reason in reasons.items()
    }


def is_deliverable(recording: RecordingMetadata) -> bool:
    """Whether Genesys says that it has the file and would hand it out."""
    return (recording.file_state or "").upper() in _DELIVERABLE


def is_audio(recording: RecordingMetadata) -> bool:
    """Whether a listed recording is a voice recording; an unknown medium may be one."""
    return (recording.media or "audio").lower() not in _NOT_AUDIO_MEDIA


def _by_metadata(
    call: CallToAsk,
    metadata: Sequence[RecordingMetadata],
    answered: Collection[str],
    batch_broke_off: bool,
) -> dict[str, Reason]:
    reasons = {}
    for recording in metadata:
        if not is_audio(recording) or recording.id in answered:
            continue
        if is_deliverable(recording):
            not_given = Reason.BATCH_UNFINISHED if batch_broke_off else Reason.NOT_DELIVERED
            reasons[recording.id] = not_given
        else:
            state = (recording.file_state or "").upper()
            reason = _BY_FILE_STATE.get(state, Reason.UNKNOWN_STATE)
            if reason.status is RecordStatus.MISSING or recording.id not in call.given_up_ids:
                reasons[recording.id] = reason
    return reasons


def _without_recording(call: CallToAsk, now: datetime) -> Reason:
    if call.ended_at is None:
        too_late = now - call.conversation_start >= NEVER_CLOSED_AFTER
        return Reason.NEVER_CLOSED if too_late else Reason.CALL_OPEN
    if call.recording_sessions and not _ended_long_ago(call, now):
        return Reason.NOT_LISTED_YET
    return Reason.NOT_RECORDED if call.answered else Reason.NOT_ANSWERED


def _without_metadata(call: CallToAsk, now: datetime) -> Reason:
    """Why a recording that was heard of before, by its id, is not listed."""
    return Reason.WITHDRAWN if _ended_long_ago(call, now) else Reason.NOT_LISTED_YET


def _ended_long_ago(call: CallToAsk, moment: datetime) -> bool:
    return call.ended_at is not None and moment - call.ended_at >= METADATA_LAG


def _is_too_late(call: CallToAsk, recording_id: str, now: datetime, late_audio: timedelta) -> bool:
    """Whether the recording was first asked for too long ago; one that is new was not."""
    first_requested_at = next(
        (
            r.first_requested_at
            for r in call.records
            if r.recording_id == recording_id and r.is_open
        ),
        None,
    )
    if first_requested_at is None:
        return False
    if call.ended_at is None:
        return now - call.conversation_start >= NEVER_CLOSED_AFTER
    return now - max(first_requested_at, call.ended_at) > late_audio


def _given_up(reason: Reason) -> Reason:
    """What can be had and never came is our failure; what Genesys still has not got is missing."""
    if reason in _OFFERED:
        return Reason.NOT_DELIVERED
    return Reason.LATE_AUDIO_EXPIRED if reason.status is RecordStatus.PENDING else reason
