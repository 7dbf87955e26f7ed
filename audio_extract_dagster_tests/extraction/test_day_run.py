"""One run of one day: one writer, a job that tells the truth, and one announcement."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, Engine, insert, text

from audio_extract_dagster.database.connection import PostgresSettings
from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.database.locks import DayIsBusy, LockLost, is_held
from audio_extract_dagster.database.tables import day_counts, extraction_jobs
from audio_extract_dagster.extraction.day_run import DayRun
from audio_extract_dagster.model import Job, JobStatus, JobUsage
from audio_extract_dagster_tests.builders import DAY, add_calls, call, rows
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.postgres import Database

LISTED = {"hits": 0, "passes": 1, "complete": True}


class Announcements:
    """Remembers what was announced, and that the job had ended by then."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def __call__(self, connection: Connection, job: Job) -> None:
        assert jobs.job(connection, job.run_id) == job
        self.jobs.append(job)


class Days:
    """Runs of days on one database, with one clock."""

    def __init__(self, database: Database) -> None:
        self.settings: PostgresSettings = database.settings
        self.engine: Engine = database.engine
        self.clock = FakeClock()
        self.announced = Announcements()

    def run(self, run_id: str = "run-1", day: date = DAY, *, wait_seconds: float = 0) -> DayRun:
        return DayRun(
            self.engine,
            self.settings.schema,
            day,
            run_id,
            clock=self.clock,
            max_failed_percent=5,
            announce=self.announced,
            wait_seconds=wait_seconds,
        )

    def list_day(self, **counts: object) -> None:
        """As if the conversations of the day had been listed."""
        with self.engine.begin() as connection:
            connection.execute(
                insert(day_counts).values(
                    asset="conversations", call_date=DAY, counts={**LISTED, **counts}
                )
            )

    def job(self, run_id: str = "run-1") -> Job:
        with self.engine.connect() as connection:
            found = jobs.job(connection, run_id)
        assert found is not None
        return found

    def cut_the_lock(self) -> None:
        """End the session that holds the day, as a restart of the server or a firewall would."""
        with self.engine.begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks"
                    " WHERE locktype = 'advisory'"
                    " AND pid <> pg_backend_pid()"
                )
            )


@pytest.fixture
def days(database: Database) -> Days:
    return Days(database)


def test_a_run_is_a_job_from_its_start_to_its_verdict(days: Days) -> None:
    days.list_day()
    with days.run() as run:
        assert days.job().status is JobStatus.RUNNING
        assert is_held(days.engine, days.settings.schema, DAY)
        run.meter(lambda: JobUsage(7, 1.5))
        run.stage("audio")
        assert (days.job().stage, days.job().usage) == ("audio", JobUsage(7, 1.5))
        run.meter(lambda: JobUsage(9, 2.5))
        days.clock.advance(60)
    job = days.job()
    assert (job.status, job.error, job.usage) == (JobStatus.SUCCEEDED, None, JobUsage(9, 2.5))
    assert job.finished_at == job.started_at + timedelta(minutes=1)
    assert days.announced.jobs == [job]


def test_a_run_tells_where_its_time_goes(days: Days) -> None:
    began = days.clock.monotonic()
    with days.run() as run:
        run.time(seconds_of_the_run=lambda: days.clock.monotonic() - began)
        days.clock.advance(90.1234)
        assert run.seconds() == {"seconds_of_the_run": 90.123}
        run.time(seconds_downloading=lambda: 7.0)
        assert set(run.seconds()) == {"seconds_of_the_run", "seconds_downloading"}


def test_the_accounts_of_the_day_decide(days: Days) -> None:
    days.list_day()
    add_calls(days.engine, call("c-1"))
    with days.run():
        pass
    job = days.job()
    assert job.status is JobStatus.FAILED
    assert "1 agent calls have no record" in (job.error or "")
    assert (job.counts.conversations, job.counts.pending) == (1, 1)


def test_a_listing_that_lost_calls_fails_the_day(days: Days) -> None:
    days.list_day(complete=False, passes=3)
    with days.run():
        pass
    assert days.job().status is JobStatus.FAILED
    assert "calls may be missing" in (days.job().error or "")


def test_a_day_that_was_never_listed_fails(days: Days) -> None:
    with days.run():
        pass
    assert days.job().status is JobStatus.FAILED


def test_an_exception_is_told_with_its_stage_and_goes_on(days: Days) -> None:
    days.list_day()

    def broken() -> None:
        with days.run() as run:
            run.stage("audio")
            raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        broken()
    job = days.job()
    assert (job.status, job.error) == (JobStatus.FAILED, "audio: no such thing")
    assert days.announced.jobs == [job]


def test_the_first_cause_counts(days: Days) -> None:
    with days.run() as run:
        run.stage("conversations")
        run.failed("the first")
        run.failed("the second")
    assert days.job().error == "conversations: the first"


def test_a_run_that_is_stopped_is_canceled(days: Days) -> None:
    def stopped() -> None:
        with days.run() as run:
            run.stage("audio")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert (days.job().status, days.job().error) == (JobStatus.CANCELED, "audio: canceled.")


def test_a_run_that_is_said_to_be_canceled_is(days: Days) -> None:
    days.list_day()
    with days.run() as run:
        run.canceled()
    assert days.job().status is JobStatus.CANCELED


def test_a_second_run_of_the_day_stops_with_a_clear_message(days: Days) -> None:
    days.list_day()
    with days.run():
        with pytest.raises(DayIsBusy, match=f"Another run is working on {DAY}"), days.run("run-2"):
            pass
        with days.run("run-3", date(2026, 3, 9)):
            pass
    assert {row["run_id"] for row in rows(days.engine, extraction_jobs)} == {"run-1", "run-3"}


def test_a_second_run_waits_as_long_as_it_is_told(days: Days) -> None:
    with days.run(), pytest.raises(DayIsBusy), days.run("run-2", wait_seconds=60):
        pass
    assert sum(days.clock.sleeps) == pytest.approx(60, abs=1)


def test_whoever_vanished_is_closed_by_the_next_run(days: Days) -> None:
    days.list_day()
    killed = days.run("killed")
    killed.__enter__()
    killed.stage("audio")
    days.cut_the_lock()
    days.clock.advance(3600)
    with days.run("next"):
        job = days.job("killed")
        assert job.status is JobStatus.FAILED
        assert (job.error or "").startswith("audio: the run vanished")
        assert job.finished_at == days.clock.now()
    assert days.job("next").status is JobStatus.SUCCEEDED


def test_a_lock_that_broke_is_taken_again(days: Days) -> None:
    days.list_day()
    with days.run() as run:
        days.cut_the_lock()
        run.stage("audio")
        assert is_held(days.engine, days.settings.schema, DAY)
    assert days.job().status is JobStatus.SUCCEEDED


def test_a_day_that_another_run_has_done_meanwhile_is_not_written_any_more(days: Days) -> None:
    days.list_day()
    with days.run("slow") as slow:
        days.cut_the_lock()
        with days.run("quick"):
            pass
        # The lock is free again; what this run knows of the day is not true any more. It does not
        # become true by asking once more, as a step that is tried again does.
        for _ in range(2):
            with pytest.raises(LockLost, match="another run took the day"):
                slow.stage("audio")
        assert not is_held(days.engine, days.settings.schema, DAY)
    assert days.job("slow").status is JobStatus.FAILED
    assert days.job("quick").status is JobStatus.SUCCEEDED


def test_a_lock_that_another_run_has_taken_stops_the_run_that_lost_it(days: Days) -> None:
    days.list_day()

    def overtaken() -> None:
        with days.run("slow") as slow:
            days.cut_the_lock()
            slow.meter(lambda: JobUsage(1000, 0))
            with days.run("quick"):
                slow.stage("audio")

    with pytest.raises(LockLost):
        overtaken()
    # What the other run wrote of it stands: it never becomes a second writer.
    assert (days.job("slow").status, days.job("slow").usage) == (JobStatus.FAILED, JobUsage())
    # The other run found it gone and told so; it does not tell a second time.
    assert [job.run_id for job in days.announced.jobs] == ["slow", "quick"]
