"""Genesys played by an organization in memory that shows its conversations page by page.

Between two pages it does what Genesys does: conversations come, go, are repeated or slip through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.extraction.listing import COLUMNS, PAGE_SIZE, DayListing
from audio_extract_dagster.genesys import Conversation, ConversationPage
from audio_extract_dagster_tests.builders import (
    DAY,
    START,
    conversation,
    participant,
    segment,
    session,
)

LIMA = BusinessDays(ZoneInfo("America/Lima"), DAY - timedelta(days=1000))
WINDOW = LIMA.window(DAY)
QUEUES = ("q-1",)
CUSTOMER = participant("customer", session(segment("interact")))
AGENT = participant("agent", session(segment("interact", queue_id="q-1")))

Event = Callable[["Organization"], None]


def call(number: int, start: datetime = START) -> Conversation:
    moment = start + timedelta(seconds=number)
    return conversation(CUSTOMER, AGENT, conversation_id=f"c-{number:03}", start=moment)


class Organization:
    """What the details query sees. `events` happen one by one, each before another page is read.

    `page_size` stands in for the one that is asked for, so that small days have many pages.
    """

    def __init__(
        self, conversations: Sequence[Conversation], *events: Event, page_size: int = PAGE_SIZE
    ) -> None:
        self.conversations = list(conversations)
        self.events = list(events)
        self.page_size = page_size
        self.requests: list[tuple[datetime, datetime, int]] = []
        # Past the last page the count may be left out.
        self.tells_total_past_the_end = False
        self.when_last_told: list[Conversation] = []
        # What the next page does wrong.
        self.shift = 0
        self.unreadable = 0
        self.is_empty = False

    def query_conversations(
        self,
        start: datetime,
        end: datetime,
        queue_ids: Sequence[str],
        page_number: int,
        page_size: int,
    ) -> ConversationPage:
        assert (queue_ids, page_size) == (QUEUES, PAGE_SIZE)
        self.requests.append((start, end, page_number))
        self.shift, self.unreadable, self.is_empty = 0, 0, False
        if self.events:
            self.events.pop(0)(self)
        if self.is_empty:
            return ConversationPage([], 0, 0)
        # Also what started earlier on the same day and went on.
        hits = [each for each in self.conversations if each.start < end]
        hits.sort(key=lambda each: (each.start, each.id))
        first = (page_number - 1) * self.page_size + (self.shift if page_number > 1 else 0)
        shown = hits[first : first + self.page_size]
        lost = min(self.unreadable, len(shown))
        total = len(hits) if shown or self.tells_total_past_the_end else 0
        if total:
            self.when_last_told = list(self.conversations)
        return ConversationPage(shown[lost:], total, lost)


def nothing(organization: Organization) -> None:
    pass


def repeat_one(organization: Organization) -> None:
    organization.shift = -1


def skip_one(organization: Organization) -> None:
    organization.shift = 1


def garble_one(organization: Organization) -> None:
    organization.unreadable = 1


def lose_contents(organization: Organization) -> None:
    organization.is_empty = True


def add(seconds: int) -> Event:
    """A conversation appears that started so many seconds after `START`."""

    def event(organization: Organization) -> None:
        name = f"new-{len(organization.requests)}"
        start = START + timedelta(seconds=seconds)
        organization.conversations.append(
            conversation(CUSTOMER, AGENT, conversation_id=name, start=start)
        )

    return event


def remove(position: int) -> Event:
    def event(organization: Organization) -> None:
        if organization.conversations:
            del organization.conversations[position % len(organization.conversations)]

    return event


def list_day(organization: Organization) -> tuple[list[dict[str, Any]], DayListing]:
    listing = DayListing(organization, DAY, WINDOW, QUEUES)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in listing.rows()]
    return rows, listing


def ids(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [row["conversation_id"] for row in rows]
