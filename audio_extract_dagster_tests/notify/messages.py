"""A job to tell of, and what a message about it says."""

from __future__ import annotations

import dataclasses
import html.parser
from datetime import date, datetime, timedelta, timezone

import pytest

from audio_extract_dagster.model import DayCounts, Job, JobStatus, JobUsage
from audio_extract_dagster.notify.english import ENGLISH
from audio_extract_dagster.notify.layout import plain_text
from audio_extract_dagster.notify.letterhead import Letterhead
from audio_extract_dagster.notify.message import Message
from audio_extract_dagster.notify.spanish import SPANISH
from audio_extract_dagster.notify.texts import Texts

STARTED = datetime(2026, 3, 12, 11, 0, tzinfo=timezone.utc)
FINISHED = [status for status in JobStatus if status is not JobStatus.RUNNING]
COUNTS = DayCounts(
    conversations=1250,
    agent_calls=1180,
    excluded=70,
    stored=1100,
    pending=3,
    missing=75,
    failed=2,
    ignored=4,
    bytes=300 * 2**20,
    audio_minutes=4321.4,
    reasons={"uploading": 3, "not_answered": 75, "not_audio": 2, "no_agent": 70, "brand_new": 1},
)
JOB = Job(
    run_id="0f1e2d3c-aaaa-4bbb-8ccc-1234567890ab",
    call_date=date(2026, 3, 11),
    status=JobStatus.INCOMPLETE,
    stage="done",
    started_at=STARTED,
    finished_at=STARTED + timedelta(minutes=12, seconds=30),
    counts=COUNTS,
    usage=JobUsage(requests=345, wait_seconds=90.0),
    error=None,
)
FAILED = dataclasses.replace(JOB, status=JobStatus.FAILED, error="listing: <b>it</b> broke & fell")

LETTERHEAD = Letterhead(
    ENGLISH,
    opening="Good morning.\nThis is yours.",
    run_url="https://ui/runs/{}".format,
    backfill_url="https://ui/runs/b/{}".format,
    timezone="America/Lima",
)

languages = pytest.mark.parametrize("texts", [ENGLISH, SPANISH], ids=["en", "es"])


class WellFormed(html.parser.HTMLParser):
    """Fails on a tag that is not closed, or closed in the wrong order."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.feed(document)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        self.tags.append(tag)
        if tag not in ("br", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def written_in(texts: Texts) -> Letterhead:
    return dataclasses.replace(LETTERHEAD, texts=texts)


def lines(message: Message) -> list[str]:
    return plain_text(message.html).splitlines()
