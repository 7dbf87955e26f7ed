"""Messages that are not about one run of one day: backfills, retention."""

from __future__ import annotations

import dataclasses
from datetime import date

from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.notify.message import compose_digest, compose_retention_failed
from audio_extract_dagster.notify.texts import Texts
from audio_extract_dagster_tests.notify.messages import (
    FAILED,
    JOB,
    LETTERHEAD,
    WellFormed,
    languages,
    lines,
    written_in,
)


def test_a_digest_has_a_line_for_each_day_and_the_worst_outcome() -> None:
    days = [
        dataclasses.replace(FAILED, call_date=date(2026, 3, 12)),
        dataclasses.replace(JOB, status=JobStatus.SUCCEEDED, call_date=date(2026, 3, 10)),
        JOB,
    ]
    message = compose_digest(days, "abc", LETTERHEAD)
    assert message.title == "Call recordings of 2026-03-10 to 2026-03-12"
    assert message.subject == "Call recordings of 2026-03-10 to 2026-03-12: FAILED"
    assert 'href="https://ui/runs/b/abc"' in message.html
    said = lines(message)
    assert said[0] == "Good morning. This is yours."
    assert "2026-03-12: listing: <b>it</b> broke & fell" in said
    assert "audio-extract run --date 2026-03-12" in said[said.index("What to do") + 1]
    assert [line for line in said if line.startswith("2026-03-1") and ":" not in line] == [
        "2026-03-10 complete 1,100 3 75 2",
        "2026-03-11 not complete yet 1,100 3 75 2",
        "2026-03-12 FAILED 1,100 3 75 2",
    ]


@languages
def test_retention_that_failed_is_told_with_its_cause_and_what_to_do(texts: Texts) -> None:
    message = compose_retention_failed("the disk of 999888777 is away", "run-1", written_in(texts))
    assert 'href="https://ui/runs/run-1"' in message.html
    said = lines(message)
    assert said[:3] == [
        "Good morning. This is yours.",
        texts.retention_title,
        texts.retention_failed,
    ]
    assert "the disk of *** is away" in said
    assert said[-2:] == [texts.retention_step, texts.open_run]
    assert (message.title, message.subject) == (texts.retention_title, texts.retention_subject)
    WellFormed(message.html)
