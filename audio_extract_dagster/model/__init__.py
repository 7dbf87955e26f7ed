"""The words of the project as types: statuses, reasons, and the things the ledger keeps.

Plain data that the business (`extraction/`), the tables (`database/`) and the messages (`notify/`)
share, with what follows from a thing alone. Rules of the business are in `extraction/`.
"""

from audio_extract_dagster.model.calls import (
    OPEN_CALLS,
    Ask,
    Batch,
    CallToAsk,
    KnownRecord,
    Selection,
    StoredPart,
    StoredRecording,
)
from audio_extract_dagster.model.days import (
    CallsToLookAt,
    DayCounts,
    DayShape,
    Job,
    JobUsage,
    MeasuredDay,
    OpenRecords,
    Rates,
)
from audio_extract_dagster.model.statuses import (
    BatchFailure,
    BatchStatus,
    JobStatus,
    Reason,
    RecordStatus,
)

__all__ = [
    "OPEN_CALLS",
    "Ask",
    "Batch",
    "BatchFailure",
    "BatchStatus",
    "CallToAsk",
    "CallsToLookAt",
    "DayCounts",
    "DayShape",
    "Job",
    "JobStatus",
    "JobUsage",
    "KnownRecord",
    "MeasuredDay",
    "OpenRecords",
    "Rates",
    "Reason",
    "RecordStatus",
    "Selection",
    "StoredPart",
    "StoredRecording",
]
