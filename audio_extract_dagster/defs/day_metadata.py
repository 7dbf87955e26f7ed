"""What the UI shows of a day beside its rows: why recordings are not there, where the time went."""

from collections.abc import Mapping

import dagster as dg

from audio_extract_dagster.defs.resources import (
    AudioStorageResource,
    DayRunResource,
    GenesysResource,
)
from audio_extract_dagster.model import DayCounts, Reason

_COLUMNS = dg.TableSchema(
    columns=[
        dg.TableColumn("reason", "string", description="docs/operations.md explains each"),
        dg.TableColumn("status", "string"),
        dg.TableColumn("count", "int"),
    ]
)
_STATUS = {reason.code: reason.status.value for reason in Reason}


def table_of_reasons(counts: DayCounts) -> dg.TableMetadataValue:
    """Why recordings are not stored and conversations are left out, the most frequent first."""
    records = [
        dg.TableRecord({"reason": code, "status": _STATUS.get(code, "excluded"), "count": count})
        for code, count in counts.reasons_by_count()
    ]
    return dg.MetadataValue.table(records, schema=_COLUMNS)


def seconds_of_run(
    genesys: GenesysResource, audio_storage: AudioStorageResource, day_run: DayRunResource
) -> Mapping[str, float]:
    """Where the time of this run went so far.

    Downloads run side by side, so that their sum may be longer than the run.
    """
    seconds = {
        "seconds_of_the_run": day_run.seconds(),
        "seconds_waiting_for_limits": genesys.usage().wait_seconds,
        "seconds_waiting_for_batches": genesys.pauses().seconds,
        "seconds_downloading": audio_storage.seconds(),
        "seconds_in_the_database": day_run.database_seconds(),
    }
    return {name: round(value, 3) for name, value in seconds.items()}
