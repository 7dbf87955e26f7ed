"""What the UI shows of a day beside its rows: why recordings are not there."""

import dagster as dg

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
