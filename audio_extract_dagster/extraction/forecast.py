"""What extracting days would cost: calls, API requests, minutes of the budget, bytes.

Pure arithmetic on hits per day and on what earlier days turned out to need. Counting the hits is
one request a day; nothing is written anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.extraction.listing import PAGE_SIZE, ConversationSource
from audio_extract_dagster.model import MeasuredDay, Rates

# What the look plan spends on a batch once it has learnt the usual time.
LOOKS_PER_BATCH = 4
_REQUESTS_OF_BATCH = 1 + LOOKS_PER_BATCH
_LOGIN_AND_SETTINGS = 2


@dataclass(frozen=True)
class DayForecast:
    """The cost of one day; `requests` are pages, batches, looks, metadata and two for the start."""

    day: date
    conversations: int
    agent_calls: int
    requests: int
    bytes: int


@dataclass(frozen=True)
class Forecast:
    """The cost of all days. `minutes` is the time in which the budget allows the requests."""

    days: tuple[DayForecast, ...]
    requests_per_minute: int

    @property
    def conversations(self) -> int:
        return sum(day.conversations for day in self.days)

    @property
    def agent_calls(self) -> int:
        return sum(day.agent_calls for day in self.days)

    @property
    def requests(self) -> int:
        return sum(day.requests for day in self.days)

    @property
    def minutes(self) -> float:
        return self.requests / self.requests_per_minute

    @property
    def gibibytes(self) -> float:
        return sum(day.bytes for day in self.days) / 2**30


def forecast(
    hits: Mapping[date, int], rates: Rates, *, batch_size: int, requests_per_minute: int
) -> Forecast:
    """The cost of days with so many hits each."""
    days = tuple(_of_day(day, count, rates, batch_size) for day, count in sorted(hits.items()))
    return Forecast(days, requests_per_minute)


def measured_rates(days: Sequence[MeasuredDay]) -> Rates:
    """What a conversation led to on these days; assumed if there are none."""
    conversations = sum(day.conversations for day in days)
    calls = sum(day.agent_calls for day in days)
    if not conversations or not calls:
        return Rates()
    # What is left of the requests was for metadata.
    metadata = sum(
        day.requests
        - max(1, day.listings) * _requests_of_listing(day.conversations)
        - day.batches * _REQUESTS_OF_BATCH
        for day in days
    )
    return Rates(
        agent_calls_per_conversation=calls / conversations,
        metadata_per_agent_call=min(1.0, max(0, metadata) / calls),
        bytes_per_agent_call=sum(day.bytes for day in days) / calls,
        measured_days=len(days),
    )


def count_hits(
    source: ConversationSource, days: BusinessDays, wanted: Iterable[date], queues: Sequence[str]
) -> dict[date, int]:
    """How many conversations Genesys reports for each day: one small request a day."""
    return {
        day: source.query_conversations(*days.window(day), queues, 1, 1).total_hits
        for day in wanted
    }


def _of_day(day: date, hits: int, rates: Rates, batch_size: int) -> DayForecast:
    calls = round(hits * rates.agent_calls_per_conversation)
    batches = ceil(calls / batch_size)
    metadata = ceil(calls * rates.metadata_per_agent_call)
    return DayForecast(
        day=day,
        conversations=hits,
        agent_calls=calls,
        requests=_requests_of_listing(hits) + batches * _REQUESTS_OF_BATCH + metadata,
        bytes=round(calls * rates.bytes_per_agent_call),
    )


def _requests_of_listing(conversations: int) -> int:
    """What a run spends before its first batch; the last page is empty."""
    return _LOGIN_AND_SETTINGS + ceil(conversations / PAGE_SIZE) + 1
