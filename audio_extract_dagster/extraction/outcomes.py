"""What becomes of a recording: the rules that choose the reason why it is not stored.

Pure rules: no request, no database. The answers of Genesys that feed them come from
`extraction/collect.py`; how a person reads a reason is in `notify/texts.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audio_extract_dagster.genesys import RecordingMetadata
from audio_extract_dagster.model import CallToAsk, Reason, RecordStatus

# A session that says it was recorded may be listed late; after this long it will not be.
LISTING_LAG = timedelta(hours=24)
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
    late_audio: timedelta,
    batch_broke_off: bool = False,
) -> dict[str, Reason]:
    """The reason for each recording of `call` that is not stored, by recording id.

    The id is `""` in the one entry of a call for which no recording is known at all. `metadata`
    is None where the answers added up (see `needs_metadata`). A recording that Genesys may still
    give becomes final once `late_audio` has passed since it was first asked for.
    """
    stored = call.stored_ids | answers.stored
    reasons = {rid: reason for rid, reason in answers.undelivered.items() if rid not in stored}
    if metadata is not None:
        reasons |= _by_metadata(metadata, stored, answers.undelivered, batch_broke_off)
        for recording_id in (answers.errors | call.unsettled_ids) - stored - reasons.keys():
            reasons[recording_id] = Reason.WITHDRAWN
    if not reasons and not stored:
        reasons[""] = _without_recording(call, now)
    return {rid: _unless_too_late(call, reason, now, late_audio) for rid, reason in reasons.items()}


def unfinished(call: CallToAsk, answers: Answers) -> dict[str, Reason]:
    """The reasons for a call of which nothing is stored and whose batch broke off."""
    unsettled = answers.errors | call.unsettled_ids
    reasons = dict.fromkeys(unsettled, Reason.BATCH_UNFINISHED) | answers.undelivered
    return reasons or {"": Reason.BATCH_UNFINISHED}


def is_deliverable(recording: RecordingMetadata) -> bool:
    """Whether Genesys says that it has the file and would hand it out."""
    return (recording.file_state or "").upper() in _DELIVERABLE


def is_audio(recording: RecordingMetadata) -> bool:
    """Whether a listed recording is a voice recording; an unknown medium may be one."""
    return (recording.media or "audio").lower() not in _NOT_AUDIO_MEDIA


def _by_metadata(
    metadata: Sequence[RecordingMetadata],
    stored: Collection[str],
    undelivered: Mapping[str, Reason],
    batch_broke_off: bool,
) -> dict[str, Reason]:
    reasons = {}
    for recording in metadata:
        if not is_audio(recording) or recording.id in stored:
            continue
        if is_deliverable(recording):
            default = Reason.BATCH_UNFINISHED if batch_broke_off else Reason.NOT_DELIVERED
            reasons[recording.id] = undelivered.get(recording.id, default)
        else:
            state = (recording.file_state or "").upper()
            reasons[recording.id] = _BY_FILE_STATE.get(state, Reason.UNKNOWN_STATE)
    return reasons


def _without_recording(call: CallToAsk, now: datetime) -> Reason:
    if call.ended_at is None:
        return Reason.CALL_OPEN
    if call.recording_sessions and now - call.ended_at < LISTING_LAG:
        return Reason.NOT_LISTED_YET
    return Reason.NOT_RECORDED if call.answered else Reason.NOT_ANSWERED


def _unless_too_late(
    call: CallToAsk, reason: Reason, now: datetime, late_audio: timedelta
) -> Reason:
    if reason is Reason.CALL_OPEN:
        too_late = now - call.conversation_start >= NEVER_CLOSED_AFTER
        return Reason.NEVER_CLOSED if too_late else reason
    first_requested_at = call.first_requested_at or now
    if reason.status is RecordStatus.PENDING and now - first_requested_at > late_audio:
        return Reason.LATE_AUDIO_EXPIRED
    return reason
