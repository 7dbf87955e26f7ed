"""The accounts of a day: what its rows add up to."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

import pytest
from sqlalchemy import Engine, insert, update

from audio_extract_dagster.database.ledger import accounts, batches, jobs, records
from audio_extract_dagster.database.ledger.records import Asked
from audio_extract_dagster.database.tables import (
    conversations,
    daily_report,
    day_counts,
)
from audio_extract_dagster.extraction.accounting import gaps
from audio_extract_dagster.model import Batch, BatchStatus, DayCounts, MeasuredDay, Reason
from audio_extract_dagster_tests.builders import DAY, NOW, START, add_calls, call, recording

OTHER_DAY = date(2026, 3, 9)


def exclude(engine: Engine, conversation_id: str, reason: str = "no_agent") -> None:
    """A conversation of the day that is no agent call."""
    with engine.begin() as connection:
        connection.execute(
            insert(conversations).values(
                conversation_id=conversation_id,
                call_date=DAY,
                conversation_start=START,
                queue_ids=[],
                has_agent=False,
                excluded_reason=reason,
                payload={},
            )
        )


def batch(engine: Engine, number: int, state: BatchStatus | None, *, ignored: int = 0) -> None:
    each = Batch(f"b-{number}", number, ("c-1", "c-2"), ignored_count=ignored)
    with engine.begin() as connection:
        batches.plan(connection, each, run_id="run-1", call_date=DAY, now=NOW)
        if state is not None:
            batches.close(connection, each, state)


def counted(engine: Engine, day: date = DAY) -> DayCounts:
    with engine.connect() as connection:
        return accounts.count_day(connection, day)


@pytest.fixture
def day(engine: Engine) -> None:
    """Five agent calls, one of them never asked for, and three excluded conversations."""
    asked = [call(f"c-{n}") for n in range(1, 6)]
    add_calls(engine, *asked)
    add_calls(engine, call("c-9"), day=OTHER_DAY)
    for number, reason in enumerate(["no_agent", "no_agent", "agent_without_voice"]):
        exclude(engine, f"x-{number}", reason)
    by_id = {each.conversation_id: each for each in asked}
    stored = [recording("r-1", "c-1"), recording("r-2", "c-1", parts=[1, 2])]
    reasons = [
        (asked[1], {"r-1": Reason.UPLOADING, "r-2": Reason.DELETED}),
        (asked[2], {"": Reason.NOT_ANSWERED}),
        (asked[3], {"r-1": Reason.TRANSFER_BROKEN}),
    ]
    with engine.begin() as connection:
        records.write_stored(connection, Asked(DAY, "b-1", NOW), stored, by_id)
        records.write_reasons(connection, Asked(DAY, "b-1", NOW), reasons)
    batch(engine, 1, BatchStatus.COMPLETED, ignored=2)
    batch(engine, 2, BatchStatus.FAILED, ignored=1)
    batch(engine, 3, None)


@pytest.mark.usefixtures("day")
def test_a_day_is_counted_by_kind_status_and_reason(engine: Engine) -> None:
    assert counted(engine) == DayCounts(
        conversations=8,
        agent_calls=5,
        excluded=3,
        stored=3,
        pending=2,
        missing=2,
        failed=1,
        ignored=3,
        bytes=3000,
        audio_minutes=1.5,
        reasons={
            "agent_without_voice": 1,
            "deleted": 1,
            "no_agent": 2,
            "not_answered": 1,
            "not_requested": 1,
            "transfer_broken": 1,
            "uploading": 1,
        },
    )


@pytest.mark.usefixtures("day")
def test_a_call_without_a_record_is_found(engine: Engine) -> None:
    with engine.connect() as connection:
        assert accounts.calls_without_record(connection, DAY) == ["c-5"]
        assert accounts.progress(connection, DAY) == (5, 4)
    assert gaps(counted(engine)) == ["1 agent calls have no record"]


def test_a_day_that_nobody_touched_is_nothing(engine: Engine) -> None:
    assert counted(engine) == DayCounts()
    with engine.connect() as connection:
        assert accounts.batch_counts(connection, DAY) == {"calls_requested": 0}
        assert accounts.progress(connection, DAY) == (0, 0)


@pytest.mark.usefixtures("day")
def test_a_call_that_stays_because_it_has_audio_is_excluded_nowhere(engine: Engine) -> None:
    """A later listing says it has no agent; its records keep it an agent call."""
    before = counted(engine)
    with engine.begin() as connection:
        connection.execute(
            update(conversations)
            .where(conversations.c.conversation_id == "c-1")
            .values(has_agent=False, excluded_reason="no_agent")
        )
    assert counted(engine) == before


@pytest.mark.usefixtures("day")
def test_batches_are_counted_by_state(engine: Engine) -> None:
    with engine.connect() as connection:
        assert accounts.batch_counts(connection, DAY) == {
            "batches_completed": 1,
            "batches_failed": 1,
            "batches_planned": 1,
            "calls_requested": 6,
        }


def test_what_a_listing_said_of_itself_is_read_back(engine: Engine) -> None:
    said = {"hits": 3, "rows": 3, "complete": True}
    with engine.begin() as connection:
        for asset, counts in (("conversations", said), ("agent_calls", {"rows": 2})):
            connection.execute(insert(day_counts).values(asset=asset, call_date=DAY, counts=counts))
        assert accounts.listing_counts(connection, DAY) == said
        assert accounts.listing_counts(connection, OTHER_DAY) == {}


def test_extracted_days_tell_what_they_came_to_the_newest_first(engine: Engine) -> None:
    counts = DayCounts(conversations=1000, agent_calls=500, excluded=500, bytes=50_000_000)
    report = {**asdict(counts), "requests": 68, "wait_seconds": 0}
    with engine.begin() as connection:
        for day in (OTHER_DAY, DAY):
            connection.execute(insert(daily_report).values(**report, call_date=day))
        for number, stage in enumerate((None, "conversations", "audio", "daily_report")):
            jobs.open_job(connection, f"run-{number}", DAY, NOW)
            if stage:
                jobs.set_stage(connection, f"run-{number}", stage)
    batch(engine, 1, BatchStatus.COMPLETED)
    with engine.connect() as connection:
        found = accounts.measured_days(connection)
    assert found == [
        MeasuredDay(1000, 500, 50_000_000, 68, listings=2, batches=1),
        MeasuredDay(1000, 500, 50_000_000, 68, listings=0, batches=0),
    ]
