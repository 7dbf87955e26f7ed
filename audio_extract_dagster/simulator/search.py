"""Which conversations a query finds, and their pages.

Filters look at what was built for the purpose and is thrown away again; kept are the slots of the
hits, and the encoded payloads of the last conversations that can no longer change, so that a day of
ten thousand calls is built once and a day of a hundred thousand does not fill the memory.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from audio_extract_dagster.simulator.filters import compile_filters
from audio_extract_dagster.simulator.model import (
    Conversation,
    Payload,
    Slot,
    Source,
    as_seen,
)

_DAY_MS = 86_400_000
_QUERIES_KEPT = 16
_PAYLOADS_KEPT = 12_000


@dataclass(frozen=True, slots=True)
class Query:
    """A search without its paging. Times are milliseconds since 1970, half-open."""

    start_ms: int
    end_ms: int
    conversation_filters: object = None
    segment_filters: object = None
    order: str = "asc"
    order_by: str = "conversationStart"
    whole_utc_day: bool = False


class Search:
    """Finds and encodes conversations of one source. Safe for threads."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._hits: OrderedDict[bytes, Sequence[Slot]] = OrderedDict()
        self._encoded: OrderedDict[Slot, bytes] = OrderedDict()
        self._passes: Counter[bytes] = Counter()

    def hits(self, query: Query, now_ms: int) -> Sequence[Slot]:
        """What matches now, in order. Raises the API's 400 for filters it does not know."""
        matches = compile_filters(query.conversation_filters, query.segment_filters)
        # A finished interval is looked at anew each hour, the present every ten seconds.
        age = 3_600_000 if query.end_ms <= now_ms else 10_000
        key = _key(query) + str(now_ms // age).encode()
        with self._lock:
            if key not in self._hits:
                self._hits[key] = self._evaluate(query, matches, now_ms)
                while len(self._hits) > _QUERIES_KEPT:
                    self._hits.popitem(last=False)
            self._hits.move_to_end(key)
            return self._hits[key]

    def begin_pass(self, query: Query) -> None:
        """Somebody asks for the first page: a listing begins."""
        with self._lock:
            self._passes[_key(query)] += 1

    def passes(self, query: Query) -> int:
        """How often the query has been listed from its first page on."""
        with self._lock:
            return self._passes[_key(query)]

    def encoded(self, slot: Slot, now_ms: int) -> bytes:
        """The JSON of a conversation as it is known now."""
        with self._lock:
            if slot in self._encoded:
                self._encoded.move_to_end(slot)
                return self._encoded[slot]
        conversation = self._source.build(slot)
        body = msgspec.json.encode(as_seen(conversation, now_ms))
        self._keep(slot, conversation, body, now_ms)
        return body

    def payload(self, slot: Slot, now_ms: int) -> Payload:
        """The same, to be changed at will."""
        payload: Payload = msgspec.json.decode(self.encoded(slot, now_ms))
        return payload

    def _evaluate(
        self, query: Query, matches: Callable[[Payload], bool], now_ms: int
    ) -> Sequence[Slot]:
        """Active inside the interval, and not started before its first UTC day."""
        first = query.start_ms - query.start_ms % _DAY_MS
        found: list[tuple[int, Slot]] = []
        for slot in self._source.started(first, min(query.end_ms, now_ms + 1)):
            conversation = self._source.build(slot)
            end = conversation.end_ms
            if end is not None and end < query.start_ms and not query.whole_utc_day:
                continue
            payload = as_seen(conversation, now_ms)
            if matches(payload):
                found.append((_rank(query.order_by, conversation), slot))
                if len(found) <= _PAYLOADS_KEPT and end is not None and end <= now_ms:
                    self._encoded[slot] = msgspec.json.encode(payload)
        self._trim()
        found.sort(reverse=query.order == "desc")
        return [slot for _, slot in found]

    def _keep(self, slot: Slot, conversation: Conversation, body: bytes, now_ms: int) -> None:
        if conversation.end_ms is None or conversation.end_ms > now_ms:
            return
        with self._lock:
            self._encoded[slot] = body
            self._trim()

    def _trim(self) -> None:
        while len(self._encoded) > _PAYLOADS_KEPT:
            self._encoded.popitem(last=False)


def _rank(order_by: str, conversation: Conversation) -> int:
    """What a hit is ordered by; an open conversation comes after every closed one."""
    if order_by in ("conversationEnd", "segmentEnd"):
        return 1 << 60 if conversation.end_ms is None else conversation.end_ms
    return conversation.start_ms


def _key(query: Query) -> bytes:
    return msgspec.json.encode(query)
