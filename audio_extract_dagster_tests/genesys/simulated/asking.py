"""Whole answers of the client: all pages of a day, a batch when it has finished."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.genesys import (
    BatchJobStatus,
    Conversation,
    GenesysClient,
)
from audio_extract_dagster.simulator import Conversation as TrueConversation

DAY = date(2026, 3, 10)
START = datetime(2026, 3, 10, 5, tzinfo=timezone.utc)
END = START + timedelta(days=1)


def all_pages(client: GenesysClient, *queue_ids: str) -> list[Conversation]:
    found: list[Conversation] = []
    page_number = 1
    while True:
        page = client.query_conversations(START, END, queue_ids, page_number)
        assert page.unreadable == 0
        if not page.conversations:
            return found
        found += page.conversations
        page_number += 1


def is_open(call: TrueConversation, clock: Clock) -> bool:
    return call.end_ms is None or call.end_ms > clock.now().timestamp() * 1000


def finished(client: GenesysClient, job_id: str, clock: Clock) -> BatchJobStatus:
    for _ in range(50):
        status = client.batch_status(job_id)
        if status.finished:
            return status
        clock.sleep(10)
    raise AssertionError("the batch does not finish")
