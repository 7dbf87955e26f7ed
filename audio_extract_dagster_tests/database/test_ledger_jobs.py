"""The table `extraction_jobs`: how a run is written down, and that its end is final."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Engine

from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.database.tables import extraction_jobs
from audio_extract_dagster.model import DayCounts, Job, JobStatus, JobUsage
from audio_extract_dagster_tests.builders import DAY, NOW, rows

EARLIER = date(2026, 3, 9)
MINUTE = timedelta(minutes=1)
COUNTS = DayCounts(
    conversations=20,
    agent_calls=15,
    excluded=5,
    stored=12,
    pending=2,
    missing=3,
    failed=1,
    ignored=4,
    bytes=5_000_000_000,
    audio_minutes=61.5,
    reasons={"uploading": 2, "deleted": 3, "no_agent": 5},
)


def run(
    engine: Engine,
    run_id: str,
    day: date = DAY,
    *,
    minute: int = 0,
    status: JobStatus | None = JobStatus.SUCCEEDED,
    counts: DayCounts | None = None,
) -> None:
    """A run that begins so many minutes after `NOW` and ends one later; without status it runs."""
    start = NOW + minute * MINUTE
    with engine.begin() as connection:
        jobs.open_job(connection, run_id, day, start)
        if status is not None:
            jobs.close_job(connection, run_id, status, start + MINUTE, counts=counts)


def job(engine: Engine, run_id: str) -> Job:
    with engine.connect() as connection:
        found = jobs.job(connection, run_id)
    assert found is not None
    return found


def test_a_job_is_read_as_it_was_written(engine: Engine) -> None:
    with engine.begin() as connection:
        jobs.open_job(connection, "run-1", DAY, NOW)
        jobs.set_stage(connection, "run-1", "audio")
        jobs.set_usage(connection, "run-1", JobUsage(120, 33.5))
        assert jobs.close_job(
            connection,
            "run-1",
            JobStatus.INCOMPLETE,
            NOW + MINUTE,
            counts=COUNTS,
            error="nothing serious",
        )
    assert job(engine, "run-1") == Job(
        "run-1",
        DAY,
        JobStatus.INCOMPLETE,
        "audio",
        NOW,
        NOW + MINUTE,
        COUNTS,
        JobUsage(120, 33.5),
        "nothing serious",
    )


def test_a_running_job_has_no_counts_yet(engine: Engine) -> None:
    run(engine, "run-1", status=None)
    found = job(engine, "run-1")
    assert (found.status, found.finished_at) == (JobStatus.RUNNING, None)
    assert (found.counts, found.usage) == (DayCounts(), JobUsage())


def test_an_unknown_run_has_no_job(engine: Engine) -> None:
    with engine.connect() as connection:
        assert jobs.job(connection, "run-1") is None


def test_an_ended_job_never_changes(engine: Engine) -> None:
    run(engine, "run-1", status=JobStatus.FAILED, counts=COUNTS)
    before = rows(engine, extraction_jobs)
    with engine.begin() as connection:
        assert not jobs.close_job(
            connection, "run-1", JobStatus.SUCCEEDED, NOW + 5 * MINUTE, counts=DayCounts()
        )
        jobs.set_stage(connection, "run-1", "daily_report")
        jobs.set_usage(connection, "run-1", JobUsage(999, 999))
    assert rows(engine, extraction_jobs) == before


def test_the_last_status_is_of_the_run_that_began_last(engine: Engine) -> None:
    run(engine, "first", minute=0, status=JobStatus.FAILED)
    run(engine, "second", minute=10, status=JobStatus.SUCCEEDED)
    run(engine, "other day", EARLIER, minute=20, status=None)
    run(engine, "not asked for", date(2026, 3, 7))
    with engine.connect() as connection:
        found = jobs.last_statuses(connection, [DAY, EARLIER, date(2026, 3, 6)])
    assert found == {DAY: JobStatus.SUCCEEDED, EARLIER: JobStatus.RUNNING}


def test_no_days_have_no_status(engine: Engine) -> None:
    with engine.connect() as connection:
        assert jobs.last_statuses(connection, []) == {}


def test_the_first_day_is_the_earliest_that_ever_ran(engine: Engine) -> None:
    with engine.connect() as connection:
        assert jobs.first_day(connection) is None
    run(engine, "run-1")
    run(engine, "run-2", EARLIER, minute=10, status=JobStatus.FAILED)
    with engine.connect() as connection:
        assert jobs.first_day(connection) == EARLIER


def test_running_jobs_are_found_by_day_or_all(engine: Engine) -> None:
    run(engine, "done")
    run(engine, "here", status=None)
    run(engine, "there", EARLIER, status=None)
    with engine.connect() as connection:
        assert [each.run_id for each in jobs.running_jobs(connection, DAY)] == ["here"]
        assert {each.run_id for each in jobs.running_jobs(connection)} == {"here", "there"}


def test_what_ended_before_is_the_last_run_of_the_day_that_was_over(engine: Engine) -> None:
    run(engine, "long ago", minute=0)
    run(engine, "before", minute=10, status=JobStatus.FAILED, counts=COUNTS)
    run(engine, "other day", EARLIER, minute=15)
    run(engine, "asked about", minute=20)
    run(engine, "after", minute=30)
    with engine.connect() as connection:
        found = jobs.ended_before(connection, job(engine, "asked about"))
        assert found == job(engine, "before")
        assert jobs.ended_before(connection, job(engine, "long ago")) is None


def test_a_run_that_vanished_ended_when_the_next_one_closed_it(engine: Engine) -> None:
    run(engine, "vanished", status=None)
    with engine.begin() as connection:
        jobs.close_job(connection, "vanished", JobStatus.FAILED, NOW + MINUTE)
        jobs.open_job(connection, "next", DAY, NOW + MINUTE)
    with engine.connect() as connection:
        found = jobs.ended_before(connection, job(engine, "next"))
    assert found is not None
    assert found.run_id == "vanished"


def test_the_usage_of_a_day_is_summed_over_its_runs(engine: Engine) -> None:
    for number, run_id in enumerate(["run-1", "run-2"], start=1):
        run(engine, run_id, minute=number, status=None)
        with engine.begin() as connection:
            jobs.set_usage(connection, run_id, JobUsage(100 * number, 1.5 * number))
    with engine.connect() as connection:
        assert jobs.day_usage(connection, DAY) == JobUsage(300, 4.5)
        assert jobs.day_usage(connection, EARLIER) == JobUsage(0, 0.0)


def test_of_several_runs_the_last_of_each_day_is_found_in_order(engine: Engine) -> None:
    run(engine, "run-1", DAY, minute=0)
    run(engine, "run-2", DAY, minute=10)
    run(engine, "run-3", EARLIER, minute=20)
    run(engine, "not asked for", DAY, minute=30)
    with engine.connect() as connection:
        found = jobs.jobs_of_runs(connection, ["run-1", "run-2", "run-3"])
    assert [each.run_id for each in found] == ["run-3", "run-2"]
