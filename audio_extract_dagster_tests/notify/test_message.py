"""The message about one day: what it says, in which order, and what never gets in."""

from __future__ import annotations

import dataclasses
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_extract_dagster.model import DayCounts, JobStatus, JobUsage, Reason
from audio_extract_dagster.notify.english import ENGLISH
from audio_extract_dagster.notify.layout import plain_text
from audio_extract_dagster.notify.message import (
    compose,
    compose_digest,
)
from audio_extract_dagster.notify.spanish import SPANISH
from audio_extract_dagster.notify.texts import Texts
from audio_extract_dagster_tests.notify.messages import (
    COUNTS,
    FAILED,
    FINISHED,
    JOB,
    LETTERHEAD,
    WellFormed,
    languages,
    lines,
    written_in,
)


def test_a_mail_says_it_all_in_order() -> None:
    message = compose(JOB, LETTERHEAD)
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
    assert f'href="https://ui/runs/{JOB.run_id}"' in message.html


def test_reasons_come_by_count_and_an_unknown_one_by_its_code() -> None:
    said = lines(compose(JOB, LETTERHEAD))
    reasons = said[said.index("Reasons") + 1 :][:5]
    assert [line.split()[-1] for line in reasons] == ["75", "70", "3", "2", "1"]
    assert reasons[-1] == "brand_new brand_new 1"


@languages
@pytest.mark.parametrize("status", FINISHED)
def test_every_outcome_has_the_same_shape(texts: Texts, status: JobStatus) -> None:
    plain = compose(JOB, written_in(texts))
    other = compose(dataclasses.replace(JOB, status=status, error="because"), written_in(texts))
    assert WellFormed(plain.html).tags == WellFormed(other.html).tags


def test_a_failure_tells_its_cause_before_the_counts() -> None:
    message = compose(FAILED, LETTERHEAD)
    assert message.subject.startswith("Call recordings of 2026-03-11: FAILED")
    said = lines(message)
    assert said[2:5] == [
        "Failed: somebody has to look.",
        "What went wrong",
        "listing: <b>it</b> broke & fell",
    ]
    assert "<b>it</b>" not in message.html
    next_step = said[said.index("What to do") + 1]
    assert "audio-extract run --date 2026-03-11" in next_step
    assert "audio-extract doctor" in next_step


@languages
def test_a_day_that_was_canceled_comes_back_by_itself(texts: Texts) -> None:
    canceled = dataclasses.replace(JOB, status=JobStatus.CANCELED)
    said = lines(compose(canceled, written_in(texts)))
    next_step = said[said.index(texts.next_step) + 1]
    assert next_step.startswith(
        {"en": "Nothing for a day of the last", "es": "Nada si"}[texts.language]
    )
    assert "audio-extract run --date 2026-03-11" in next_step


def test_a_success_needs_nothing() -> None:
    said = lines(compose(dataclasses.replace(JOB, status=JobStatus.SUCCEEDED), LETTERHEAD))
    assert said[said.index("What went wrong") + 1] == "None"
    assert said[said.index("What to do") + 1] == "Nothing."


def test_counts_that_are_not_known_are_not_shown_as_zero() -> None:
    unknown = dataclasses.replace(FAILED, counts=DayCounts(), usage=JobUsage())
    message = compose(unknown, LETTERHEAD, counts_known=False)
    assert "0 stored" not in message.subject
    said = lines(message)
    assert said[said.index("Calls") + 1] == "Not known: the database could not be reached."
    assert "Recordings of the agent calls" not in said


def test_nothing_secret_comes_out_of_an_error_text() -> None:
    error = "GET https://s3.example/a.ogg?X-Amz-Signature=s3cret for +51 999 888 777: Bearer s3cret"
    for job in (dataclasses.replace(FAILED, error=error),):
        for message in (compose(job, LETTERHEAD), compose_digest([job], "b", LETTERHEAD)):
            assert "s3cret" not in message.html
            assert "999" not in plain_text(message.html)
            assert "s3.example" in message.html


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//host/runs/1"])
def test_only_a_web_address_is_a_link(url: str) -> None:
    elsewhere = dataclasses.replace(LETTERHEAD, run_url=lambda _: url)
    assert "<a " not in compose(JOB, elsewhere).html


def test_a_failure_before_there_is_a_run_has_no_link() -> None:
    assert "<a " not in compose(dataclasses.replace(FAILED, run_id=""), LETTERHEAD).html


@given(st.text(), st.text(), st.text(min_size=1), st.sampled_from(FINISHED))
def test_no_text_breaks_the_page(opening: str, error: str, reason: str, status: JobStatus) -> None:
    counts = dataclasses.replace(COUNTS, reasons={reason: 1})
    job = dataclasses.replace(JOB, status=status, error=error, counts=counts)
    strange = dataclasses.replace(LETTERHEAD, opening=opening, run_url=lambda _: error)
    for message in (compose(job, strange), compose_digest([job, job], error, strange)):
        assert {"script", "img"}.isdisjoint(WellFormed(message.html).tags)


def test_spanish() -> None:
    message = compose(JOB, written_in(SPANISH))
    assert message.subject == (
        "Grabaciones del 2026-03-11: aún incompleto, 1100 guardadas, 5 por resolver"
    )
    assert lines(message)[1] == "miércoles 11 de marzo de 2026"
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
