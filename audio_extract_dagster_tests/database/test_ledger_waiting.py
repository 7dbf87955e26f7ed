"""What days wait for: recordings that are open, and calls that may get more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, text

from audio_extract_dagster.database.ledger import records, waiting
from audio_extract_dagster.database.ledger.calls import named_calls
from audio_extract_dagster.database.ledger.records import Asked
from audio_extract_dagster.database.tables import conversations
from audio_extract_dagster.model import CallsToLookAt, OpenRecords, Reason, RecordStatus
from audio_extract_dagster_tests.builders import DAY, NOW, START, add_calls, call, recording

EARLIER = date(2026, 3, 9)
LATER = NOW + timedelta(days=2)
PENDING, FAILED = RecordStatus.PENDING, RecordStatus.FAILED


def give(
    engine: Engine,
    conversation_id: str,
    reasons: Mapping[str, Reason],
    *,
    now: datetime = NOW,
    day: date = DAY,
) -> None:
    """A batch has answered this about the call."""
    with engine.begin() as connection:
        (known,) = named_calls(connection, [conversation_id])
        records.write_reasons(connection, Asked(day, "b-1", now), [(known, reasons)])


@pytest.fixture
def calls(engine: Engine) -> None:
    """Three calls of the day, the first with two recordings, and one of the day before."""
    of_day = [call(f"c-{n}") for n in (1, 2, 3)]
    add_calls(engine, *of_day)
    add_calls(engine, call("c-0"), day=EARLIER)
    stored = [recording("r-2", "c-1", parts=[1, 2]), recording("r-1", "c-1")]
    with engine.begin() as connection:
        records.write_stored(connection, Asked(DAY, "b-1", NOW), stored, {"c-1": of_day[0]})


@pytest.mark.usefixtures("calls")
def test_what_is_settled_is_not_open(engine: Engine) -> None:
    give(engine, "c-2", {"": Reason.NOT_ANSWERED})
    with engine.connect() as connection:
        assert waiting.open_records(connection) == []


@pytest.mark.usefixtures("calls")
def test_what_is_open_is_grouped_by_day_status_and_open_call(engine: Engine) -> None:
    add_calls(engine, call("c-4", ended_at=None))
    give(engine, "c-2", {"r-1": Reason.UPLOADING, "r-2": Reason.TRANSFER_BROKEN})
    give(engine, "c-3", {"": Reason.CALL_OPEN})  # and has ended since
    add_calls(engine, call("c-5", ended_at=None))
    give(engine, "c-4", {"r-1": Reason.UPLOADING, "r-2": Reason.RESTORING})
    give(engine, "c-5", {"": Reason.CALL_OPEN})
    give(engine, "c-0", {"r-1": Reason.LINK_EXPIRED}, day=EARLIER)
    with engine.connect() as connection:
        found = waiting.open_records(connection)
    assert {
        (each.call_date, each.status, each.call_is_open, each.waits_for_the_end): each.count
        for each in found
    } == {
        (DAY, PENDING, False, False): 2,
        (DAY, FAILED, False, False): 1,
        (DAY, PENDING, True, False): 2,
        (DAY, PENDING, True, True): 1,
        (EARLIER, PENDING, False, False): 1,
    }


@pytest.mark.usefixtures("calls")
def test_calls_that_may_have_more_are_counted_by_day_and_whether_they_have_ended(
    engine: Engine,
) -> None:
    add_calls(engine, call("c-4", ended_at=None))
    give(engine, "c-2", {"r-1": Reason.UPLOADING})
    give(engine, "c-4", {"r-1": Reason.DELETED})
    with engine.begin() as connection:
        records.mark_more(connection, [], ["c-1", "c-2", "c-4"], LATER)
        found = waiting.calls_to_look_at(connection)
        assert waiting.open_records(connection)[0].count == 1  # what is pending comes by itself
    assert sorted(found, key=lambda each: each.have_ended) == [
        CallsToLookAt(
            DAY, have_ended=ended, have_agent=True, count=1, newest_start=START, last_asked_at=LATER
        )
        for ended in (False, True)
    ]


def test_conversations_that_are_open_and_have_no_agent_may_get_one(engine: Engine) -> None:
    def add(name: str, day: date = DAY, **values: object) -> None:
        row = {"conversation_id": name, "call_date": day, "conversation_start": START,
               "queue_ids": [], "has_agent": False, "payload": {"conversationId": name},
               **values}  # fmt: skip
        with engine.begin() as connection:
            connection.execute(insert(conversations).values(row))

    hour = timedelta(hours=1)
    add("open")
    add("later", conversation_start=START + hour)
    add("day before", EARLIER, conversation_start=START - 24 * hour)
    add("ended", conversation_end=NOW)
    add("agent's", has_agent=True)
    add("expired", payload={})
    add("too old", date(2026, 1, 9), conversation_start=START - 60 * 24 * hour)
    with engine.connect() as connection:
        found = waiting.conversations_to_look_at(connection, START - 25 * hour)
        assert waiting.conversations_to_look_at(connection, START - 24 * hour) == found[1:]
    assert found == [
        CallsToLookAt(
            day, have_ended=False, have_agent=False, count=n, newest_start=at, last_asked_at=at
        )
        for day, n, at in ((EARLIER, 1, START - 24 * hour), (DAY, 2, START + hour))
    ]


@pytest.mark.usefixtures("calls")
def test_a_group_tells_its_most_asked_its_newest_and_its_latest_asking(engine: Engine) -> None:
    give(engine, "c-2", {"r-1": Reason.UPLOADING})
    give(engine, "c-2", {"r-1": Reason.RESTORING}, now=LATER)
    give(engine, "c-3", {"r-1": Reason.UPLOADING}, now=NOW + timedelta(days=1))
    with engine.connect() as connection:
        assert waiting.open_records(connection) == [
            OpenRecords(
                DAY,
                PENDING,
                call_is_open=False,
                waits_for_the_end=False,
                count=2,
                attempts=2,
                newest_since=NOW + timedelta(days=1),
                last_asked_at=LATER,
            )
        ]


@pytest.mark.usefixtures("calls")
def test_a_row_that_does_not_tell_its_first_asking_is_as_new_as_its_last_change(
    engine: Engine,
) -> None:
    give(engine, "c-2", {"r-1": Reason.UPLOADING})
    with engine.begin() as connection:
        connection.execute(text("UPDATE audio_records SET first_requested_at = NULL"))
        (found,) = waiting.open_records(connection)
    assert found.newest_since == NOW
