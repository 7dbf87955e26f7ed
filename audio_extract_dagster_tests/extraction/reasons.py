"""The reasons that a run finds for a call, given what Genesys lists of its recordings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from audio_extract_dagster.extraction.outcomes import Answers, give_up_late, settle
from audio_extract_dagster.genesys import RecordingMetadata
from audio_extract_dagster.model import CallToAsk, Reason
from audio_extract_dagster_tests.builders import NOW

LATE_AUDIO = timedelta(days=7)


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
    return give_up_late(call, reasons, now=NOW, late_audio=LATE_AUDIO)
