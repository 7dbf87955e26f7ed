"""The table `audio_batches`: the intent, the confirmation, the end, and what they teach."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Engine

from audio_extract_dagster.database.ledger import batches, jobs
from audio_extract_dagster.database.tables import audio_batches
from audio_extract_dagster.model import Batch, BatchStatus, JobStatus
from audio_extract_dagster_tests.builders import DAY, NOW, rows

SECOND = timedelta(seconds=1)


def plan(engine: Engine, number: int, *, day: date = DAY, run_id: str = "run-1") -> Batch:
    """An intent of two calls."""
    batch = Batch(f"b-{day}-{number}", number, (f"c-{number}-1", f"c-{number}-2"))
    with engine.begin() as connection:
        batches.plan(connection, batch, run_id=run_id, call_date=day, now=NOW)
    return batch


def submit(engine: Engine, batch: Batch, *, second: int = 0) -> Batch:
    batch.genesys_job_id = f"j-{batch.number}"
    batch.submitted_at = NOW + second * SECOND
    with engine.begin() as connection:
        batches.confirm(connection, batch)
    return batch


def complete(engine: Engine, batch: Batch, *, second: int = 180) -> None:
    batch.completed_at = NOW + second * SECOND
    with engine.begin() as connection:
        batches.close(connection, batch, BatchStatus.COMPLETED)


def learnt(engine: Engine) -> list[float]:
    with engine.connect() as connection:
        return batches.usual_seconds(connection)


def left_open(engine: Engine) -> list[Batch]:
    with engine.connect() as connection:
        return batches.open_batches(connection, DAY)


def test_the_intent_is_written_with_its_items(engine: Engine) -> None:
    plan(engine, 1)
    (row,) = rows(engine, audio_batches)
    assert (row["status"], row["call_date"], row["run_id"]) == ("PLANNED", DAY, "run-1")
    assert row["requested"] == [{"conversationId": "c-1-1"}, {"conversationId": "c-1-2"}]
    assert (row["requested_count"], row["batch_number"]) == (2, 1)
    assert (row["planned_at"], row["genesys_job_id"], row["submitted_at"]) == (NOW, None, None)


def test_the_confirmation_names_the_job(engine: Engine) -> None:
    submit(engine, plan(engine, 1), second=2)
    (row,) = rows(engine, audio_batches)
    assert (row["status"], row["genesys_job_id"]) == ("SUBMITTED", "j-1")
    assert row["submitted_at"] == NOW + 2 * SECOND


def test_the_end_has_the_counts_of_the_last_look(engine: Engine) -> None:
    batch = submit(engine, plan(engine, 1))
    batch.expected_count, batch.result_count, batch.error_count = 3, 2, 1
    batch.ignored_count = 4
    complete(engine, batch)
    (row,) = rows(engine, audio_batches)
    assert (row["status"], row["error"]) == ("COMPLETED", None)
    counts = ("expected_count", "result_count", "error_count", "ignored_count")
    assert [row[name] for name in counts] == [3, 2, 1, 4]
    assert row["completed_at"] == NOW + 180 * SECOND


def test_a_batch_that_failed_says_why(engine: Engine) -> None:
    batch = plan(engine, 1)
    with engine.begin() as connection:
        batches.close(connection, batch, BatchStatus.FAILED, error="reply_lost")
    (row,) = rows(engine, audio_batches)
    assert (row["status"], row["error"], row["completed_at"]) == ("FAILED", "reply_lost", None)


def test_the_next_run_finds_what_was_left_open_as_it_was(engine: Engine) -> None:
    intent = plan(engine, 3)
    submitted = submit(engine, plan(engine, 1))
    complete(engine, submit(engine, plan(engine, 2)))
    plan(engine, 1, day=date(2026, 3, 9))
    assert left_open(engine) == [submitted, intent]


def test_numbers_go_on_where_the_last_run_of_the_day_stopped(engine: Engine) -> None:
    plan(engine, 7)
    plan(engine, 12, day=date(2026, 3, 9))
    with engine.connect() as connection:
        assert batches.last_number(connection, DAY) == 7
        assert batches.last_number(connection, date(2026, 3, 11)) == 0


def test_the_latest_batches_tell_the_usual_time(engine: Engine) -> None:
    for number in range(1, 26):
        submitted = submit(engine, plan(engine, number), second=number)
        complete(engine, submitted, second=2 * number)
    assert learnt(engine) == [float(number) for number in range(6, 26)]


def test_only_batches_that_came_to_their_end_tell_it(engine: Engine) -> None:
    plan(engine, 1)
    submit(engine, plan(engine, 2))
    failed = submit(engine, plan(engine, 3))
    failed.completed_at = NOW + 3600 * SECOND
    unseen = submit(engine, plan(engine, 4))
    with engine.begin() as connection:
        batches.close(connection, failed, BatchStatus.FAILED, error="deadline")
        # Of a batch that was taken up and had nothing left to do, nobody saw the end.
        batches.close(connection, unseen, BatchStatus.COMPLETED)
    assert learnt(engine) == []


def test_a_batch_that_a_later_run_took_up_tells_nothing(engine: Engine) -> None:
    """A run is killed with a batch on its way; the next one reads it after a day."""
    with engine.begin() as connection:
        jobs.open_job(connection, "killed", DAY, NOW)
        jobs.open_job(connection, "alive", DAY, NOW)
        jobs.close_job(connection, "killed", JobStatus.FAILED, NOW + 86_000 * SECOND)
    complete(engine, submit(engine, plan(engine, 1, run_id="killed")), second=86_400)
    complete(engine, submit(engine, plan(engine, 2, run_id="alive")), second=170)
    assert learnt(engine) == [170.0]
