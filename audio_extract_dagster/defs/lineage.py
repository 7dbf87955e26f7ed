"""Which column comes from which: shown by Dagster beside the lineage of the assets."""

from collections.abc import Mapping, Sequence

import dagster as dg

_SAME = ("conversation_id", "call_date")
_FROM_PAYLOAD = (
    "direction",
    "agent_ids",
    "answered",
    "ani",
    "dnis",
    "talk_ms",
    "hold_ms",
    "acw_ms",
    "handle_ms",
    "queue_id",
    "wrap_up_code",
    "disconnect_type",
    "recording_sessions",
)
_SOURCES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "agent_calls": {
        **{name: (f"conversations.{name}",) for name in (*_SAME, "conversation_start")},
        "ended_at": ("conversations.conversation_end",),
        **dict.fromkeys(_FROM_PAYLOAD, ("conversations.payload",)),
    },
    "audio_batches": {
        "call_date": ("agent_calls.call_date",),
        "requested": ("agent_calls.conversation_id",),
        "requested_count": ("agent_calls.conversation_id",),
    },
    "audio_records": {name: (f"agent_calls.{name}",) for name in _SAME},
    "daily_report": {
        "call_date": ("conversations.call_date",),
        "conversations": ("conversations.conversation_id",),
        "excluded": ("conversations.has_agent", "conversations.excluded_reason"),
        "agent_calls": ("agent_calls.conversation_id",),
        **dict.fromkeys(("stored", "pending", "missing", "failed"), ("audio_records.status",)),
        "bytes": ("audio_records.size_bytes",),
        "audio_minutes": ("audio_records.duration_seconds",),
        "reasons": ("audio_records.reason", "conversations.excluded_reason"),
        "ignored": ("audio_batches.ignored_count",),
    },
}


def column_lineage(table: str) -> dg.TableColumnLineage:
    """The lineage of a table's columns; empty for `conversations`, which comes from Genesys."""
    return dg.TableColumnLineage(
        {
            column: [_dependency(source) for source in sources]
            for column, sources in _SOURCES.get(table, {}).items()
        }
    )


def _dependency(source: str) -> dg.TableColumnDep:
    table, column = source.split(".")
    return dg.TableColumnDep(asset_key=table, column_name=column)
