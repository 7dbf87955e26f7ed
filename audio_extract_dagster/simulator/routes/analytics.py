"""Conversation details: the query with its paging, and single conversations."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from audio_extract_dagster.simulator.filters import parse_interval
from audio_extract_dagster.simulator.messages import Reply, bad_request, not_found
from audio_extract_dagster.simulator.model import Payload, Slot
from audio_extract_dagster.simulator.routed_request import RoutedRequest
from audio_extract_dagster.simulator.search import Query
from audio_extract_dagster.simulator.switches import Switches

_DAY_MS = 86_400_000
_ORDERS = {"asc", "desc", "unordered"}
_ORDER_BY = {"conversationStart", "conversationEnd", "segmentStart", "segmentEnd"}


def details_query(routed: RoutedRequest) -> Reply:
    switches = routed.org.switches
    body = routed.request.json_object()
    query = _query(body, switches)
    page, size = _paging(body.get("paging"), switches)
    now_ms = routed.org.now_ms()
    hits = routed.services.search.hits(query, now_ms)
    if page == 1:
        routed.services.search.begin_pass(query)
    anomalous = routed.services.search.passes(query) <= switches.anomaly_passes
    shown = _page_of(hits, page, size, switches.paging_anomaly if anomalous else "none")
    total = len(hits) + switches.total_hits_offset
    if anomalous:
        total += switches.total_hits_drift * (page - 1)
    if not shown:
        return Reply.json(_empty(total if hits else 0, switches))
    if switches.future_fields:
        conversations = [_from_the_future(routed.services.search.payload(s, now_ms)) for s in shown]
        return Reply.json({"conversations": conversations, "totalHits": total, "cursorHint": None})
    encoded = b",".join([routed.services.search.encoded(slot, now_ms) for slot in shown])
    return Reply(body=b'{"conversations":[%b],"totalHits":%d}' % (encoded, total))


def conversation(routed: RoutedRequest) -> Reply:
    found = routed.org.find(routed.arguments[0])
    if found is None:
        raise not_found(f"the conversation {routed.arguments[0]}")
    return Reply.json(routed.org.seen(found))


def conversations(routed: RoutedRequest) -> Reply:
    """Several by id; those that are not there are left out."""
    ids = [name for name in routed.request.query.get("id", "").split(",") if name]
    if not ids:
        raise bad_request("The parameter id is required.")
    found = filter(None, map(routed.org.find, ids))
    return Reply.json({"conversations": [routed.org.seen(each) for each in found]})


def _query(body: Payload, switches: Switches) -> Query:
    if not body.get("interval"):
        raise bad_request(_INTERVAL_TOO_LONG.format(days=switches.max_interval_days))
    start_ms, end_ms = parse_interval(body["interval"])
    if end_ms - start_ms > switches.max_interval_days * _DAY_MS:
        raise bad_request(_INTERVAL_TOO_LONG.format(days=switches.max_interval_days))
    order, order_by = body.get("order") or "asc", body.get("orderBy") or "conversationStart"
    if order not in _ORDERS or order_by not in _ORDER_BY:
        raise bad_request("The order is not valid.", "invalid.value")
    return Query(
        start_ms,
        end_ms,
        body.get("conversationFilters"),
        body.get("segmentFilters"),
        order,
        order_by,
        switches.whole_utc_day,
    )


_INTERVAL_TOO_LONG = (
    "You must specify a search interval as part of your query that does not exceed {days} days."
)


def _paging(paging: object, switches: Switches) -> tuple[int, int]:
    """Page number (from 1) and size."""
    if paging is None:
        page, size = 1, 25
    else:
        try:
            asked = msgspec.convert(paging, dict[str, int])
            page, size = asked["pageNumber"], asked["pageSize"]
        except (msgspec.ValidationError, KeyError):
            raise bad_request("Paging needs pageSize and pageNumber.") from None
    if page < 1 or not 1 <= size <= switches.max_page_size:
        raise bad_request(f"The page size must be between 1 and {switches.max_page_size}.")
    if page * size > switches.paging_limit:
        raise bad_request(
            f"Pagination may not exceed {switches.paging_limit} results. Use smaller intervals, "
            "such as an hour, to page through more."
        )
    return page, min(size, switches.served_page_size or size)


def _page_of(hits: Sequence[Slot], page: int, size: int, anomaly: str) -> Sequence[Slot]:
    """A page, or what is seen of it while an item appears before it (or goes away)."""
    first = (page - 1) * size
    if page > 1:
        first += {"repeat": -1, "skip": 1}.get(anomaly, 0)
    return hits[first : first + size]


def _empty(total: int, switches: Switches) -> Payload:
    body: Payload = {}
    if switches.empty_conversations != "missing":
        body["conversations"] = None if switches.empty_conversations == "null" else []
    if total or switches.empty_total_hits == "zero":
        body["totalHits"] = total
    return body


def _from_the_future(payload: Payload) -> Payload:
    """The same conversation from a later version of the API."""
    stranger = {
        "participantId": "00000000-0000-4000-8000-000000000000",
        "purpose": "hologram",
        "sessions": [
            {
                "sessionId": "00000000-0000-4000-8000-000000000001",
                "mediaType": "telepathy",
                "direction": "sideways",
                "segments": [
                    {
                        "segmentStart": payload["conversationStart"],
                        "segmentType": "levitate",
                        "disconnectType": "vanished",
                        "conference": False,
                    }
                ],
            }
        ],
    }
    participants = [*payload.get("participants", ()), stranger]
    return {**payload, "sentimentOfTheRoom": {"mood": [1, None, "x"]}, "participants": participants}
