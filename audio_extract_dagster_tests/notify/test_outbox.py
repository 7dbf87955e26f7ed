"""The outbox on a real PostgreSQL and a real gateway on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select

from audio_extract_dagster.database.tables import notifications
from audio_extract_dagster.notify.gateway import Gateway, HttpGateway, open_gateway
from audio_extract_dagster.notify.message import Message
from audio_extract_dagster.notify.outbox import FlushResult, enqueue, flush, send_before_exit
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer, http_gateway

DAY = date(2026, 3, 11)


@pytest.fixture
def server() -> Iterator[HttpGatewayServer]:
    with http_gateway() as running:
        yield running


@pytest.fixture
def gateway(server: HttpGatewayServer) -> Gateway:
    return open_gateway(server.url, ["ana@example.com"])


@pytest.fixture
def late(server: HttpGatewayServer) -> Iterator[Gateway]:
    """A gateway that takes the message, and whose answer comes after nobody waits for it."""
    server.gate = threading.Event()
    yield HttpGateway(server.url, ["ana@example.com"], answer_seconds=0.05)
    server.gate.set()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def message(number: int = 1) -> Message:
    return Message(f"title {number}", f"subject {number} ñ", f"<p>{number}</p>")


def put(engine: Engine, clock: FakeClock, number: int = 1, status: str = "SUCCEEDED") -> bool:
    with engine.begin() as connection:
        now = clock.now()
        return enqueue(connection, f"run-{number}", status, "day", DAY, message(number), now)


def rows(engine: Engine) -> list[Row[Any]]:
    with engine.connect() as connection:
        return list(connection.execute(select(notifications).order_by(notifications.c.run_id)))


def subjects(server: HttpGatewayServer) -> list[str]:
    return [received["subject"] for received in server.received]


def test_a_message_is_sent_once(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    assert put(engine, clock)
    assert flush(engine, gateway, clock) == FlushResult(sent=1, failed=0, waiting=0)
    assert flush(engine, gateway, clock) == FlushResult(sent=0, failed=0, waiting=0)
    (received,) = server.received
    assert (received["title"], received["subject"], received["htmlContent"]) == (
        "title 1",
        "subject 1 ñ",
        "<p>1</p>",
    )
    (row,) = rows(engine)
    assert (row.sent_at, row.attempts, row.last_error) == (clock.now(), 1, None)
    assert (row.kind, row.call_date) == ("day", DAY)


def test_one_message_for_each_run_and_status(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    assert put(engine, clock)
    assert not put(engine, clock)
    assert put(engine, clock, status="FAILED")
    flush(engine, gateway, clock)
    assert not put(engine, clock)
    assert flush(engine, gateway, clock).sent == 0
    assert len(server.received) == 2


def test_a_message_of_a_transaction_that_fails_is_none(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    with pytest.raises(RuntimeError), engine.begin() as connection:  # noqa: PT012
        enqueue(connection, "run-1", "SUCCEEDED", "day", DAY, message(), clock.now())
        raise RuntimeError
    assert flush(engine, gateway, clock) == FlushResult(0, 0, 0)


def test_a_message_with_characters_that_a_table_cannot_hold(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    with engine.begin() as connection:
        strange = Message("a\0b", "a\ud800b", "a\0\udfffb")
        enqueue(connection, "run-1", "FAILED", "day", DAY, strange, clock.now())
    assert flush(engine, gateway, clock).sent == 1
    assert server.received[0]["title"] == "a\ufffdb"


def test_a_digest_has_no_day(engine: Engine, gateway: Gateway, clock: FakeClock) -> None:
    with engine.begin() as connection:
        enqueue(connection, "backfill", "SUCCEEDED", "digest", None, message(), clock.now())
    assert flush(engine, gateway, clock).sent == 1


def test_messages_go_out_oldest_first(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    for number in (3, 1, 2):
        put(engine, clock, number)
        clock.advance(1)
    flush(engine, gateway, clock)
    assert subjects(server) == ["subject 3 ñ", "subject 1 ñ", "subject 2 ñ"]


def test_a_gateway_that_is_down_raises_nothing_and_loses_nothing(
    engine: Engine, clock: FakeClock, server: HttpGatewayServer
) -> None:
    put(engine, clock)
    nowhere = open_gateway("http://127.0.0.1:9/s3cret?key=s3cret", ["ana@example.com"])
    assert flush(engine, nowhere, clock) == FlushResult(sent=0, failed=1, waiting=1)
    (row,) = rows(engine)
    assert row.sent_at is None
    assert "cannot be reached" in row.last_error
    assert "s3cret" not in row.last_error
    clock.advance(60)
    assert flush(engine, open_gateway(server.url, ["a@b.example"]), clock).sent == 1


def test_pauses_grow_from_a_minute_to_an_hour(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    put(engine, clock)
    server.statuses = [500]
    pauses = []
    for _ in range(9):
        assert flush(engine, gateway, clock).failed == 1
        assert flush(engine, gateway, clock) == FlushResult(sent=0, failed=0, waiting=1)
        pause = rows(engine)[0].next_try_at - clock.now()
        pauses.append(pause / timedelta(minutes=1))
        clock.advance(pause.total_seconds())
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert rows(engine)[0].attempts == 9


def test_a_message_that_may_have_been_delivered_rests_long(
    engine: Engine, clock: FakeClock, late: Gateway, server: HttpGatewayServer
) -> None:
    put(engine, clock)
    pauses = []
    for _ in range(6):
        assert send_before_exit(engine, late, clock) == FlushResult(sent=0, failed=1, waiting=1)
        (row,) = rows(engine)
        assert "may have been delivered" in row.last_error
        pause = row.next_try_at - clock.now()
        pauses.append(pause / timedelta(hours=1))
        clock.advance(pause.total_seconds())
    # One try each: nobody gets it five times before a process ends.
    assert len(server.received) == 6
    assert pauses == [1, 2, 4, 8, 16, 24]


def test_a_gateway_that_answers_late_is_not_waited_for_with_each_message(
    engine: Engine, clock: FakeClock, late: Gateway, server: HttpGatewayServer
) -> None:
    for number in range(3):
        put(engine, clock, number)
    assert flush(engine, late, clock) == FlushResult(sent=0, failed=1, waiting=3)
    assert len(server.received) == 1


def test_one_unavailable_gateway_is_not_asked_for_each_message(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    for number in range(5):
        put(engine, clock, number)
    server.statuses = [503]
    assert flush(engine, gateway, clock) == FlushResult(sent=0, failed=1, waiting=5)
    assert len(server.received) == 1


def test_one_refused_message_does_not_hold_up_the_others(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    for number in range(3):
        put(engine, clock, number)
        clock.advance(1)
    server.statuses = [400, 200]
    result = flush(engine, gateway, clock, max_tries_each=5)
    assert result == FlushResult(sent=2, failed=1, waiting=1)
    assert subjects(server) == ["subject 0 ñ", "subject 1 ñ", "subject 2 ñ"]
    assert "400" in rows(engine)[0].last_error


def test_before_a_process_ends_it_tries_five_times_within_twenty_seconds(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    put(engine, clock)
    server.statuses = [500, 500, 500, 500, 200]
    assert send_before_exit(engine, gateway, clock) == FlushResult(sent=1, failed=0, waiting=0)
    assert clock.sleeps == [1.0, 2.0, 4.0, 8.0]
    assert clock.monotonic() < 20

    put(engine, clock, 2)
    server.statuses = [500]
    assert send_before_exit(engine, gateway, clock) == FlushResult(sent=0, failed=1, waiting=1)
    assert len(server.received) == 10


def test_no_try_begins_after_the_deadline(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    put(engine, clock)
    server.statuses = [500]
    flush(engine, gateway, clock, max_tries_each=9, deadline_seconds=6.5)
    assert clock.sleeps == [1.0, 2.0]
    assert len(server.received) == 3


def test_two_that_flush_at_once_never_send_the_same_message(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    put(engine, clock)
    server.gate = threading.Event()
    results = []
    first = threading.Thread(target=lambda: results.append(flush(engine, gateway, clock)))
    first.start()
    assert server.asked.wait(10)
    # The first waits for the gateway's answer and holds the row.
    assert flush(engine, gateway, clock) == FlushResult(sent=0, failed=0, waiting=1)
    server.gate.set()
    first.join()
    assert results == [FlushResult(sent=1, failed=0, waiting=0)]
    assert len(server.received) == 1


def test_many_that_flush_at_once_send_everything_once(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    for number in range(20):
        put(engine, clock, number)
    threads = [threading.Thread(target=flush, args=(engine, gateway, clock)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(subjects(server)) == sorted(f"subject {n} ñ" for n in range(20))
    assert all(row.sent_at is not None for row in rows(engine))
