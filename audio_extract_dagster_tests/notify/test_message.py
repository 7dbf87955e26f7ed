from __future__ import annotations

import dataclasses
import html.parser
import re
import string
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_extract_dagster.model import DayCounts, Job, JobStatus, JobUsage, Reason
from audio_extract_dagster.notify.english import ENGLISH
from audio_extract_dagster.notify.layout import plain_text
from audio_extract_dagster.notify.message import (
    Message,
    compose,
    compose_digest,
    compose_retention_failed,
)
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


def lines(message: Message) -> list[str]:
    return plain_text(message.html).splitlines()


def test_a_mail_says_it_all_in_order() -> None:
    message = compose(JOB, opening="Good morning.\nThis is yours.", run_url="https://ui/runs/1")
    assert message.title == "Call recordings of 2026-03-11"
    assert message.subject == (
        "Call recordings of 2026-03-11: not complete yet, 1100 stored, 5 open"
    )
    said = lines(message)
    assert said[:2] == ["Good morning. This is yours.", "Wednesday, 11 March 2026"]
    assert said[2].startswith("Not complete yet")
    for line in [
        "Conversations voice, started on this day = agent calls + excluded 1,250",
        "Agent calls an agent answered or was rung 1,180",
        "Excluded no agent took part 70",
        "Stored the file is there, whole 1,100",
        "Pending Genesys may still give it 3",
        "Missing Genesys will not give it 75",
        "Failed asked for again by the next run 2",
        "Still being uploaded uploading 3",
        "What came was no audio not_audio 2",
        "Audio 4,321 min",
        "Stored 300.0 MiB",
        "Screen and chat recordings left out 4",
        "Run time 12.5 min",
        "API requests 345",
        "Waited for Genesys Cloud 1.5 min",
    ]:
        assert line in said
    assert said[-1] == "Open the run"
    assert 'href="https://ui/runs/1"' in message.html


def test_reasons_come_by_count_and_an_unknown_one_by_its_code() -> None:
    said = lines(compose(JOB))
    reasons = said[said.index("Reasons") + 1 :][:5]
    assert [line.split()[-1] for line in reasons] == ["75", "70", "3", "2", "1"]
    assert reasons[-1] == "brand_new brand_new 1"


@languages
@pytest.mark.parametrize("status", FINISHED)
def test_every_outcome_has_the_same_shape(texts: Texts, status: JobStatus) -> None:
    plain = compose(JOB, texts=texts)
    other = compose(dataclasses.replace(JOB, status=status, error="because"), texts=texts)
    assert WellFormed(plain.html).tags == WellFormed(other.html).tags


def test_a_failure_tells_its_cause_before_the_counts() -> None:
    message = compose(FAILED)
    assert message.subject.startswith("Call recordings of 2026-03-11: FAILED")
    said = lines(message)
    assert said[1:4] == [
        "Failed: somebody has to look.",
        "What went wrong",
        "listing: <b>it</b> broke & fell",
    ]
    assert "<b>it</b>" not in message.html
    next_step = said[said.index("What to do") + 1]
    assert "audio-extract run --date 2026-03-11" in next_step
    assert "audio-extract doctor" in next_step


def test_a_success_needs_nothing() -> None:
    said = lines(compose(dataclasses.replace(JOB, status=JobStatus.SUCCEEDED)))
    assert said[said.index("What went wrong") + 1] == "None"
    assert said[said.index("What to do") + 1] == "Nothing."


def test_counts_that_are_not_known_are_not_shown_as_zero() -> None:
    message = compose(
        dataclasses.replace(FAILED, counts=DayCounts(), usage=JobUsage()), counts_known=False
    )
    assert "0 stored" not in message.subject
    said = lines(message)
    assert said[said.index("Calls") + 1] == "Not known: the database could not be reached."
    assert "Recordings of the agent calls" not in said


def test_nothing_secret_comes_out_of_an_error_text() -> None:
    error = "GET https://s3.example/a.ogg?X-Amz-Signature=s3cret for +51 999 888 777: Bearer s3cret"
    for job in (dataclasses.replace(FAILED, error=error),):
        for message in (compose(job), compose_digest([job])):
            assert "s3cret" not in message.html
            assert "999" not in plain_text(message.html)
            assert "s3.example" in message.html


@pytest.mark.parametrize("url", [None, "javascript:alert(1)", "//host/runs/1"])
def test_only_a_web_address_is_a_link(url: str) -> None:
    assert "<a " not in compose(JOB, run_url=url).html


def test_without_a_link_the_run_is_named() -> None:
    assert lines(compose(JOB))[-1] == JOB.run_id


@given(st.text(), st.text(), st.text(min_size=1), st.sampled_from(FINISHED))
def test_no_text_breaks_the_page(opening: str, error: str, reason: str, status: JobStatus) -> None:
    counts = dataclasses.replace(COUNTS, reasons={reason: 1})
    job = dataclasses.replace(JOB, status=status, error=error, counts=counts)
    for message in (compose(job, opening=opening, run_url=error), compose_digest([job, job])):
        assert {"script", "img"}.isdisjoint(WellFormed(message.html).tags)


def test_a_digest_has_a_line_for_each_day_and_the_worst_outcome() -> None:
    days = [
        dataclasses.replace(FAILED, call_date=date(2026, 3, 12)),
        dataclasses.replace(JOB, status=JobStatus.SUCCEEDED, call_date=date(2026, 3, 10)),
        JOB,
    ]
    message = compose_digest(days, opening="Backfill", url="https://ui/backfills/1")
    assert message.title == "Call recordings of 2026-03-10 to 2026-03-12"
    assert message.subject == "Call recordings of 2026-03-10 to 2026-03-12: FAILED"
    said = lines(message)
    assert "2026-03-12: listing: <b>it</b> broke & fell" in said
    assert "audio-extract run --date 2026-03-12" in said[said.index("What to do") + 1]
    assert [line for line in said if line.startswith("2026-03-1") and ":" not in line] == [
        "2026-03-10 complete 1,100 3 75 2",
        "2026-03-11 not complete yet 1,100 3 75 2",
        "2026-03-12 FAILED 1,100 3 75 2",
    ]


@languages
def test_retention_that_failed_is_told_with_its_cause_and_what_to_do(texts: Texts) -> None:
    message = compose_retention_failed(
        "the disk of 999888777 is away", opening="Good morning.", texts=texts
    )
    said = lines(message)
    assert said[:3] == ["Good morning.", texts.retention_title, texts.retention_failed]
    assert "the disk of *** is away" in said
    assert said[-1] == texts.retention_step
    assert (message.title, message.subject) == (texts.retention_title, texts.retention_subject)
    WellFormed(message.html)


def test_the_outcome_is_drawn_to_scale_and_told_in_words() -> None:
    html = compose(JOB).html
    assert "Stored 1,100, Pending 3, Missing 75, Failed 2" in lines(compose(JOB))
    widths = [int(percent) for percent in re.findall(r'<td width="(\d+)%" height="16"', html)]
    # What is rare is drawn wider than it is, so that it can be seen.
    assert widths == [90, 2, 6, 2]
    # Each part has the colour of its line in the table below.
    for color in re.findall(r'height="16" bgcolor="(#\w+)"', html):
        assert f'background:{color};margin-right:6px">&nbsp;</span>' in html


def test_calls_are_drawn_by_hour() -> None:
    calls = [0] * 8 + [5, 40, 20] + [0] * 13
    message = compose(JOB, calls_by_hour=calls)
    assert "8:00 5, 9:00 40, 10:00 20" in lines(message)
    heights = [
        int(tall) for tall in re.findall(r'<td height="(\d+)" bgcolor="#4f7cac"', message.html)
    ]
    assert heights == [8, 64, 32]
    WellFormed(message.html)


def test_nothing_is_drawn_of_nothing() -> None:
    empty = dataclasses.replace(JOB, counts=DayCounts())
    assert 'role="img"' not in compose(empty, calls_by_hour=[0] * 24).html
    assert 'role="img"' not in compose_digest([empty]).html


@given(st.lists(st.integers(min_value=0, max_value=10**6), min_size=4, max_size=4))
def test_the_parts_of_a_bar_fill_it(numbers: list[int]) -> None:
    stored, pending, missing, failed = numbers
    counts = DayCounts(stored=stored, pending=pending, missing=missing, failed=failed)
    html = compose(dataclasses.replace(JOB, counts=counts)).html
    widths = [int(percent) for percent in re.findall(r'<td width="(\d+)%" height="16"', html)]
    assert len(widths) == sum(number > 0 for number in numbers)
    assert sum(widths) in (0, 100)
    assert all(width >= 2 for width in widths)


def test_spanish() -> None:
    message = compose(JOB, texts=SPANISH)
    assert message.subject == (
        "Grabaciones del 2026-03-11: aún incompleto, 1100 guardadas, 5 por resolver"
    )
    assert lines(message)[0] == "miércoles 11 de marzo de 2026"
    assert '<html lang="es">' in message.html


@languages
def test_every_status_and_reason_has_words(texts: Texts) -> None:
    assert {reason.code for reason in Reason} <= texts.why.keys()
    for by_status in (texts.outcomes, texts.statuses, texts.next_steps):
        assert by_status.keys() == set(FINISHED)


def test_the_languages_say_the_same_things() -> None:
    for field in dataclasses.fields(ENGLISH):
        english, spanish = getattr(ENGLISH, field.name), getattr(SPANISH, field.name)
        assert type(english) is type(spanish)
        if isinstance(english, str):
            assert _blanks(english) == _blanks(spanish), field.name
        elif isinstance(english, tuple):
            assert len(english) == len(spanish), field.name
        else:
            assert english.keys() == spanish.keys(), field.name


def _blanks(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
