"""Filters of a query, on a conversation small enough to see through."""

from __future__ import annotations

from typing import Any

import pytest

from audio_extract_dagster.simulator.filters import compile_filters
from audio_extract_dagster.simulator.messages import ApiError


def segment(kind: str, **fields: Any) -> dict[str, Any]:
    times = {"segmentStart": "2026-03-10T15:00:00.000Z", "segmentEnd": "2026-03-10T15:01:00.000Z"}
    return {"segmentType": kind, "conference": False} | times | fields


CALL = {
    "conversationId": "c",
    "conversationStart": "2026-03-10T15:00:00.000Z",
    "originatingDirection": "inbound",
    "divisionIds": ["d1", "d2"],
    "participants": [
        {
            "purpose": "customer",
            "sessions": [
                {
                    "mediaType": "voice",
                    "recording": True,
                    "segments": [segment("interact", queueId="q1")],
                },
                {"mediaType": "callback", "segments": [segment("scheduled", queueId="q2")]},
            ],
        },
        {
            "purpose": "agent",
            "userId": "u1",
            "sessions": [{"mediaType": "voice", "segments": [segment("alert", queueId="q1")]}],
        },
    ],
}


def predicate(dimension: str, value: object = None, **fields: object) -> dict[str, object]:
    return {"dimension": dimension} | ({} if value is None else {"value": value}) | fields


def both(*predicates: object) -> dict[str, object]:
    return {"type": "and", "predicates": list(predicates)}


def either(*predicates: object) -> dict[str, object]:
    return {"type": "or", "predicates": list(predicates)}


AGENT_ALERTED = both(predicate("purpose", "agent")) | {
    "clauses": [either(predicate("segmentType", "alert"), predicate("segmentType", "dialing"))]
}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], True),
        ([both(predicate("mediaType", "voice"))], True),
        ([both(predicate("mediaType", "chat"))], False),
        ([both(predicate("mediaType", "voice"), predicate("purpose", "agent"))], True),
        # the same segment has to satisfy both
        ([both(predicate("mediaType", "callback"), predicate("purpose", "agent"))], False),
        ([both(predicate("mediaType", "callback"), predicate("queueId", "q1"))], False),
        # other filters may be satisfied by other segments
        ([both(predicate("mediaType", "callback")), both(predicate("purpose", "agent"))], True),
        ([either(predicate("queueId", "q9"), predicate("queueId", "q2"))], True),
        ([either(predicate("queueId", "q9"))], False),
        ([both(predicate("userId", operator="exists"))], True),
        ([both(predicate("teamId", operator="exists"))], False),
        ([both(predicate("purpose", "agent"), predicate("userId", operator="notExists"))], False),
        ([both(predicate("recording", "true"))], True),
        ([both(predicate("recording", True), predicate("purpose", "agent"))], False),
        ([both(predicate("segmentEnd", "2026-03-10T15:00:00Z/2026-03-10T16:00:00Z"))], True),
        ([both(predicate("segmentEnd", "2026-03-10T16:00:00Z/2026-03-10T17:00:00Z"))], False),
        ([both({"metric": "tSegmentDuration", "range": {"gte": 60000, "lt": 60001}})], True),
        ([both({"metric": "tSegmentDuration", "range": {"gt": 60000}})], False),
        ([AGENT_ALERTED], True),
    ],
)
def test_segment_filters(filters: list[object], expected: bool) -> None:
    assert compile_filters(None, filters)(CALL) is expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([both(predicate("originatingDirection", "inbound"))], True),
        ([both(predicate("conversationEnd", operator="exists"))], False),
        ([both(predicate("conversationEnd", operator="notExists"))], True),
        ([both(predicate("divisionId", "d2"))], True),
        ([both(predicate("divisionId", "d3"))], False),
        ([both(predicate("conversationStart", "2026-03-10T15:00:00Z/2026-03-10T15:00:01Z"))], True),
    ],
)
def test_conversation_filters(filters: list[object], expected: bool) -> None:
    assert compile_filters(filters, None)(CALL) is expected


@pytest.mark.parametrize(
    ("conversation_filters", "segment_filters"),
    [
        ([both(predicate("queueId", "q1"))], None),
        (None, [both(predicate("conversationEnd", operator="exists"))]),
        (None, [both(predicate("starSign", "leo"))]),
        (None, [both(predicate("queueId"))]),
        (None, [both(predicate("queueId", "q1", operator="resembles"))]),
        (None, [{"type": "xor", "predicates": [predicate("queueId", "q1")]}]),
        (None, [both("queueId")]),
        (None, [both({"metric": "tSegmentDuration", "range": {"around": 3}})]),
        (None, [both({"metric": "tSegmentDuration", "range": {"gte": "2024-01-05T10:00Z"}})]),
        (None, [both({"metric": "tSegmentDuration", "range": {"gte": True}})]),
        (None, [both(predicate("queueId", range={"gte": 3}))]),
        (None, [both(predicate("segmentEnd", range={"gte": 3}))]),
    ],
)
def test_what_is_refused(conversation_filters: object, segment_filters: object) -> None:
    with pytest.raises(ApiError) as refused:
        compile_filters(conversation_filters, segment_filters)
    assert refused.value.status == 400
