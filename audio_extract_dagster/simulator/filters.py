"""The filters of a conversation query, evaluated on payloads.

A filter is compiled once and then asked about many conversations. Segment predicates of one filter
must hold on the same segment, together with the session and the participant it belongs to; the
filters of a list may each hold on another one. An unknown dimension is refused, as are the
conversation dimensions in segment filters and the other way round.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

from audio_extract_dagster.simulator.messages import bad_request
from audio_extract_dagster.simulator.model import Payload, iso, milliseconds

Place = tuple[Payload, Payload, Payload]
"""What a predicate looks at: participant, session, segment; or the conversation three times."""
Test = Callable[[Place], bool]

_PARTICIPANT = frozenset({"purpose", "userId", "participantName", "teamId", "screenRecording"})
_SESSION = frozenset(
    {
        "mediaType",
        "direction",
        "ani",
        "dnis",
        "sessionDnis",
        "provider",
        "recording",
        "edgeId",
        "remote",
        "sessionId",
    }
)
_SEGMENT = frozenset(
    {
        "queueId",
        "segmentType",
        "segmentStart",
        "segmentEnd",
        "disconnectType",
        "wrapUpCode",
        "conference",
        "errorCode",
        "groupId",
        "subject",
    }
)
_FLOW = frozenset({"flowId", "flowName", "flowType", "flowVersion"})
_CONVERSATION = frozenset(
    {
        "conversationId",
        "conversationStart",
        "conversationEnd",
        "originatingDirection",
        "divisionId",
        "externalTag",
        "conversationInitiator",
        "customerParticipation",
        "mediaStatsMinConversationMos",
    }
)
_DATES = {"conversationStart", "conversationEnd", "segmentStart", "segmentEnd"}
_METRICS = {"tSegmentDuration"}
_NUMBERS = {*_METRICS, "mediaStatsMinConversationMos"}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def compile_filters(
    conversation_filters: object, segment_filters: object
) -> Callable[[Payload], bool]:
    """One test for a conversation from the two lists of a query. Raises the API's 400."""
    about_conversation = [_group(item, _conversation_value) for item in _list(conversation_filters)]
    about_segments = [_group(item, _segment_value) for item in _list(segment_filters)]

    def matches(conversation: Payload) -> bool:
        whole = (conversation, conversation, conversation)
        return all(test(whole) for test in about_conversation) and all(
            any(map(test, _places(conversation))) for test in about_segments
        )

    return matches


def parse_interval(text: object) -> tuple[int, int]:
    """`start/end` as milliseconds since 1970; times without an offset are UTC."""
    if not isinstance(text, str) or text.count("/") != 1:
        raise bad_request("The interval is not valid.", "invalid.date")
    start, end = (_moment(part) for part in text.split("/"))
    if end <= start:
        raise bad_request("The end of the interval must be after its start.", "invalid.date")
    return start, end


def _places(conversation: Payload) -> Iterator[Place]:
    for participant in conversation.get("participants", ()):
        for session in participant.get("sessions", ()):
            for segment in session.get("segments", ()):
                yield participant, session, segment


def _list(value: object) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise bad_request("Filters must be a list.")
    return value


def _group(item: object, value_of: Callable[[str], Callable[[Place], Any]]) -> Test:
    """A filter or a clause: predicates and clauses joined by `and` or `or`."""
    if not isinstance(item, dict) or item.get("type") not in ("and", "or"):
        raise bad_request("A filter needs a type: and, or.")
    tests = [_predicate(entry, value_of) for entry in _list(item.get("predicates"))]
    tests += [_group(entry, value_of) for entry in _list(item.get("clauses"))]
    if not tests:
        raise bad_request("A filter needs predicates or clauses.")
    if len(tests) == 1:
        return tests[0]
    if item["type"] == "and":
        return lambda place: all(test(place) for test in tests)
    return lambda place: any(test(place) for test in tests)


def _predicate(entry: object, value_of: Callable[[str], Callable[[Place], Any]]) -> Test:
    if not isinstance(entry, dict):
        raise bad_request("A predicate must be an object.")
    dimension = entry.get("dimension") or entry.get("metric")
    if not isinstance(dimension, str):
        raise bad_request("A predicate needs a dimension or a metric.")
    get = value_of(dimension)
    wanted = entry.get("operator") or "matches"
    if wanted == "exists":
        return lambda place: get(place) is not None
    if wanted == "notExists":
        return lambda place: get(place) is None
    if wanted != "matches":
        raise bad_request(f"Unknown operator {wanted}.")
    if isinstance(entry.get("range"), dict):
        if dimension not in _NUMBERS:
            raise bad_request(f"{dimension} is no number and has no range.")
        return _in_range(get, entry["range"])
    if entry.get("value") is None:
        raise bad_request(f"The predicate on {dimension} needs a value or a range.")
    return _equals(dimension, get, entry["value"])


def _equals(dimension: str, get: Callable[[Place], Any], wanted: object) -> Test:
    if dimension in _DATES:
        start, end = map(iso, parse_interval(wanted))
        return lambda place: start <= (get(place) or "") < end
    text = str(wanted).lower() if isinstance(wanted, bool) else str(wanted)

    def equals(place: Place) -> bool:
        value = get(place)
        if isinstance(value, bool):
            return text == ("true" if value else "false")
        return text in map(str, value) if isinstance(value, list) else str(value) == text

    return equals


def _in_range(get: Callable[[Place], Any], limits: dict[str, Any]) -> Test:
    if not limits or not limits.keys() <= _COMPARE.keys():
        raise bad_request("A range has gt, gte, lt, lte.")
    bounds = {name: limit for name, limit in limits.items() if limit is not None}
    # JSON's true and false are numbers to Python, and none to the API.
    if any(type(bound) not in (int, float) for bound in bounds.values()):
        raise bad_request("The limits of a range are numbers.")

    def within(place: Place) -> bool:
        value = get(place)
        if value is None:
            return False
        return all(_COMPARE[name](value, bound) for name, bound in bounds.items())

    return within


def _segment_value(dimension: str) -> Callable[[Place], Any]:
    if dimension in _PARTICIPANT:
        return lambda place: place[0].get(dimension)
    if dimension in _SESSION:
        return lambda place: place[1].get(dimension)
    if dimension in _SEGMENT:
        return lambda place: place[2].get(dimension)
    if dimension in _FLOW:
        return lambda place: place[1].get("flow", {}).get(dimension)
    if dimension in _METRICS:
        return _duration
    raise bad_request(f"Unknown segment dimension {dimension}.")


def _conversation_value(dimension: str) -> Callable[[Place], Any]:
    if dimension not in _CONVERSATION:
        raise bad_request(f"Unknown conversation dimension {dimension}.")
    key = "divisionIds" if dimension == "divisionId" else dimension
    return lambda place: place[0].get(key)


def _duration(place: Place) -> int | None:
    """Milliseconds of a closed segment."""
    segment = place[2]
    if "segmentEnd" not in segment:
        return None
    return _moment(segment["segmentEnd"]) - _moment(segment["segmentStart"])


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise bad_request(f"{text} is not a valid date-time.", "invalid.date") from None
    return milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
