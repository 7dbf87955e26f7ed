"""The colours of a day: the mail and the picture show the same thing in the same one.

Told apart by colour-blind readers, too, and never the only thing that tells.
"""

from __future__ import annotations

from collections.abc import Mapping

from audio_extract_dagster.model import RecordStatus

CALLS = "#4f7cac"
RECORDINGS: Mapping[RecordStatus, str] = {
    RecordStatus.STORED: "#3d8b6d",
    RecordStatus.PENDING: "#d9a441",
    RecordStatus.MISSING: "#8d99a6",
    RecordStatus.FAILED: "#b5473c",
}
