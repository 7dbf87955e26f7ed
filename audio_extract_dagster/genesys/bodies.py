"""The bodies that are sent to the Genesys Cloud API. What it answers is read in `wire.py`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone


def details_query(
    start: datetime, end: datetime, queue_ids: Sequence[str], page_number: int, page_size: int
) -> bytes:
    """All conversations with a voice session, of the queues only if any is given."""
    filters = [_filter("and", "mediaType", ["voice"])]
    if queue_ids:
        filters.append(_filter("or", "queueId", queue_ids))
    return _json(
        {
            "interval": f"{_instant(start)}/{_instant(end)}",
            "order": "asc",
            "orderBy": "conversationStart",
            "paging": {"pageSize": page_size, "pageNumber": page_number},
            "segmentFilters": filters,
        }
    )


def batch_request(conversation_ids: Iterable[str]) -> bytes:
    """All recordings of each conversation."""
    return _json(
        {"batchDownloadRequestList": [{"conversationId": id_} for id_ in conversation_ids]}
    )


def _filter(kind: str, dimension: str, values: Iterable[str]) -> dict[str, object]:
    predicates = [
        {"type": "dimension", "dimension": dimension, "operator": "matches", "value": value}
        for value in values
    ]
    return {"type": kind, "predicates": predicates}


def _instant(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone is no moment")
    utc = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
