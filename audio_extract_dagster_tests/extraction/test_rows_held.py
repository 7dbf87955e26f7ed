"""How much of a day is in memory at once: a page of its listing, a chunk of its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from math import ceil

import msgspec
import pytest

from audio_extract_dagster.database.copy_text import encode_rows
from audio_extract_dagster.database.tables import conversations
from audio_extract_dagster.extraction.listing import PAGE_SIZE, DayListing
from audio_extract_dagster.genesys import ConversationPage
from audio_extract_dagster.genesys.wire import read_conversation_page
from audio_extract_dagster.simulator import World
from audio_extract_dagster_tests.scenarios.day import CALENDAR, TUESDAY


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=11, calls_per_day=400)


class Pages:
    """A listing in pages, which tells the last one that was asked for."""

    def __init__(self, world: World) -> None:
        calls = [call for call in world.conversations(TUESDAY) if call.story != "chat"]
        self._payloads = [call.payload for call in calls]
        self.asked = 0

    def query_conversations(
        self,
        start: datetime,
        end: datetime,
        queue_ids: Sequence[str],
        page_number: int,
        page_size: int,
    ) -> ConversationPage:
        del start, end, queue_ids
        self.asked = page_number
        page = self._payloads[(page_number - 1) * page_size : page_number * page_size]
        body = {"conversations": page, "totalHits": len(self._payloads)}
        return read_conversation_page(msgspec.json.encode(body))


def test_a_listing_holds_one_page(world: World) -> None:
    pages = Pages(world)
    listing = DayListing(pages, TUESDAY, CALENDAR.window(TUESDAY), ())
    taken = 0
    for taken, _ in enumerate(listing.rows(), start=1):
        assert pages.asked <= ceil(taken / PAGE_SIZE)
    assert taken == listing.counts.rows > 3 * PAGE_SIZE


def test_rows_go_into_copy_as_they_come() -> None:
    taken = given = 0

    def rows() -> Iterator[tuple[str]]:
        nonlocal taken
        for number in range(5000):
            taken += 1
            yield (f"conversation-{number}",)

    for chunk in encode_rows([conversations.c.conversation_id], rows()):
        assert taken - given <= 500
        given += chunk.count(b"\n")
    assert given == taken == 5000
