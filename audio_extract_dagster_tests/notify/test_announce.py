"""When the end of a run is worth a message, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.database.tables import notifications
from audio_extract_dagster.defs.telling import announcer
from audio_extract_dagster.extraction.job_end import Announce
from audio_extract_dagster.model import DayCounts, Job, JobStatus, JobUsage
from audio_extract_dagster.notify.announce import Announcer
from audio_extract_dagster.notify.english import ENGLISH
from audio_extract_dagster.notify.layout import plain_text
from audio_extract_dagster.notify.message import compose_not_run
from audio_extract_dagster.notify.spanish import SPANISH
from audio_extract_dagster.notify.texts import Texts
from audio_extract_dagster.settings import Settings
from audio_extract_dagster_tests.builders import DAY, NOW, add_calls, call, rows
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.notify.messages import LETTERHEAD, languages, written_in

HOUR = timedelta(hours=1)
COUNTS = DayCounts(
    conversations=40,
    agent_calls=35,
    excluded=5,
    stored=29,
    pending=2,
    missing=4,
    ignored=2,
    bytes=7_710_409,
    audio_minutes=50.1,
    reasons={"uploading": 2, "deleted": 4, "no_agent": 5},
)
INCOMPLETE, SUCCEEDED = JobStatus.INCOMPLETE, JobStatus.SUCCEEDED


@pytest.fixture
def ended(engine: Engine) -> Callable[..., list[str]]:
    """A run begins and ends; returns of which runs there are messages by then."""
    clock = FakeClock()
    usual, nothing = Announcer(clock, LETTERHEAD), JobUsage()

    def ended(
        run_id: str,
        status: JobStatus = INCOMPLETE,
        counts: DayCounts = COUNTS,
        day: date = DAY,
        *,
        usage: JobUsage = nothing,
        error: str | None = None,
        announce: Announce = usual,
    ) -> list[str]:
        with engine.begin() as connection:
            jobs.open_job(connection, run_id, day, clock.now())
            jobs.set_usage(connection, run_id, usage)
            clock.advance(60)
            jobs.close_job(connection, run_id, status, clock.now(), counts=counts, error=error)
            job = jobs.job(connection, run_id)
            assert job is not None
            announce(connection, job)
        return [row["run_id"] for row in rows(engine, notifications)]

    return ended


def test_the_first_run_of_a_day_is_told_with_a_link_to_it(
    engine: Engine, ended: Callable[..., list[str]]
) -> None:
    assert ended("run-1") == ["run-1"]
    (message,) = rows(engine, notifications)
    assert (message["status"], message["kind"], message["call_date"]) == ("INCOMPLETE", "day", DAY)
    assert message["subject"].endswith("29 stored, 2 open")
    assert "Good morning." in message["html"]
    assert LETTERHEAD.run_url("run-1") in message["html"]
    assert message["next_try_at"] == message["created_at"]


def test_a_repeat_with_the_same_outcome_is_silent(ended: Callable[..., list[str]]) -> None:
    ended("run-1")
    assert ended("run-2", usage=JobUsage(500, 90.0)) == ["run-1"]


def test_what_is_left_out_is_counted_anew_each_time_and_is_no_news(
    ended: Callable[..., list[str]],
) -> None:
    ended("run-1")
    assert ended("run-2", counts=replace(COUNTS, ignored=4)) == ["run-1"]


@pytest.mark.parametrize(
    "changed",
    [
        replace(COUNTS, conversations=41, excluded=6),
        replace(COUNTS, stored=30, pending=1),
        replace(COUNTS, bytes=1),
        replace(COUNTS, reasons={**COUNTS.reasons, "uploading": 1, "restoring": 1}),
    ],
    ids=["a late conversation", "late audio", "another size", "another reason"],
)
def test_a_repeat_with_other_counts_is_told(
    ended: Callable[..., list[str]], changed: DayCounts
) -> None:
    ended("run-1")
    assert ended("run-2", counts=changed) == ["run-1", "run-2"]


def test_a_repeat_with_another_outcome_is_told_and_so_is_the_way_back(
    ended: Callable[..., list[str]],
) -> None:
    ended("run-1")
    assert ended("run-2", JobStatus.FAILED) == ["run-1", "run-2"]
    assert ended("run-3", JobStatus.FAILED) == ["run-1", "run-2"]
    assert ended("run-4") == ["run-1", "run-2", "run-4"]


def test_a_repeat_that_fails_for_another_cause_is_told(ended: Callable[..., list[str]]) -> None:
    failed = JobStatus.FAILED
    ended("run-1", failed, error="audio: rate limited until 10:41")
    assert ended("run-2", failed, error="audio: rate limited until 11:05") == ["run-1"]
    assert ended("run-3", failed, error="audio: the disk is full") == ["run-1", "run-3"]


def test_ids_and_times_in_a_cause_are_no_news(ended: Callable[..., list[str]]) -> None:
    cause = "listing: Genesys Cloud, POST /api/v2/x: the server could not answer ({})".format
    ended(
        "run-1", JobStatus.FAILED, error=cause("status 500, correlation id 9f2c1b7a-aa0d, 5 tries")
    )
    again = cause("status 500, correlation id 4d0e77cc-beef, 5 tries")
    assert ended("run-2", JobStatus.FAILED, error=again) == ["run-1"]


def test_another_day_is_told_by_itself(ended: Callable[..., list[str]]) -> None:
    ended("run-1")
    assert ended("run-2", day=date(2026, 3, 9)) == ["run-1", "run-2"]


def test_a_run_is_told_once(engine: Engine, ended: Callable[..., list[str]]) -> None:
    ended("run-1")
    with engine.begin() as connection:
        job = jobs.job(connection, "run-1")
        assert job is not None
        Announcer(FakeClock(), LETTERHEAD)(connection, job)
    assert len(rows(engine, notifications)) == 1


def test_a_run_that_failed_before_it_had_a_job_is_told(engine: Engine) -> None:
    failed = Job.of_failed_run("run-1", DAY, "settings: PG_HOST is missing", NOW)
    with engine.begin() as connection:
        Announcer(FakeClock(), LETTERHEAD)(connection, failed)
    (message,) = rows(engine, notifications)
    assert "PG_HOST is missing" in message["html"]


def test_the_days_of_a_backfill_are_silent_and_so_is_a_repeat_that_changes_nothing(
    ended: Callable[..., list[str]],
) -> None:
    """The digest of the backfill has told them."""
    assert ended("run-1", announce=announcer(Settings(), {"dagster/backfill": "abc"})) == []
    assert ended("run-2") == []
    assert ended("run-3", SUCCEEDED) == ["run-3"]


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "Call recordings of 2026-03-10: complete"),
        ("es", "Grabaciones del 2026-03-10: completo"),
    ],
)
def test_the_language_is_that_of_the_settings(
    engine: Engine, ended: Callable[..., list[str]], language: str, subject: str
) -> None:
    settings = Settings.model_validate({"NOTIFY_LANGUAGE": language})
    ended("run-1", SUCCEEDED, announce=announcer(settings, {}))
    (message,) = rows(engine, notifications)
    assert message["subject"].startswith(subject)
    assert f'<html lang="{language}">' in message["html"]


@languages
def test_a_day_that_did_not_run_is_told_with_what_to_do(texts: Texts) -> None:
    message = compose_not_run(DAY, written_in(texts))
    said = plain_text(message.html).splitlines()
    assert said[:3] == ["Good morning. This is yours.", texts.day(DAY), texts.not_run]
    assert message.title == texts.title.format(day=DAY)
    assert str(DAY) in message.subject
    assert f"audio-extract run --date {DAY}" in said[-1]
    assert "daily_extraction" in said[-1]
    assert f'lang="{texts.language}"' in message.html


# Words that English and Spanish share.
SHARED = {"audio", "total"}


def test_everything_is_said_in_both_languages() -> None:
    same = set()
    for field in fields(Texts):
        english, spanish = getattr(ENGLISH, field.name), getattr(SPANISH, field.name)
        if isinstance(english, str):
            pairs = [(english, spanish)]
        elif isinstance(english, tuple):
            pairs = list(zip(english, spanish, strict=True))
        else:
            pairs = [(english[key], spanish[key]) for key in english]
        assert all(english and spanish for english, spanish in pairs), field.name
        if any(english == spanish for english, spanish in pairs):
            same.add(field.name)
    assert same == SHARED


def test_calls_are_drawn_by_the_hour_of_the_business(
    engine: Engine, ended: Callable[..., list[str]]
) -> None:
    add_calls(engine, call("c-1"), call("c-2"))  # at 14:00 in UTC
    ended("run-1")
    (message,) = rows(engine, notifications)
    assert "9:00 2" in plain_text(message["html"]).splitlines()
