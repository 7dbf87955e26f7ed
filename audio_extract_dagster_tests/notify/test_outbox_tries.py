"""When the outbox tries again what the gateway did not take, and what must not wait for that."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from audio_extract_dagster.notify.gateway import Gateway, HttpGateway, open_gateway
from audio_extract_dagster.notify.outbox import FlushResult, flush, send_before_exit
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer
from audio_extract_dagster_tests.notify.posting import put, rows, subjects


@pytest.fixture
def late(server: HttpGatewayServer) -> Iterator[Gateway]:
    """A gateway that takes the message, and whose answer comes after nobody waits for it."""
    server.gate = threading.Event()
    yield HttpGateway(server.url, ["ana@example.com"], answer_seconds=0.05)
    server.gate.set()


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
        # One try: nobody gets it five times before a process ends.
        assert server.asked.acquire(timeout=10)
        assert not server.asked.acquire(blocking=False)
        pause = row.next_try_at - clock.now()
        pauses.append(pause / timedelta(hours=1))
        clock.advance(pause.total_seconds())
    assert pauses == [1, 2, 4, 8, 16, 24]


def test_a_gateway_that_answers_late_is_not_waited_for_with_each_message(
    engine: Engine, clock: FakeClock, late: Gateway, server: HttpGatewayServer
) -> None:
    for number in range(3):
        put(engine, clock, number)
    assert flush(engine, late, clock) == FlushResult(sent=0, failed=1, waiting=3)
    assert server.asked.acquire(timeout=10)
    assert not server.asked.acquire(blocking=False)


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


def test_a_message_that_breaks_the_gateway_does_not_hold_up_the_others(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    for number in range(3):
        put(engine, clock, number)
        clock.advance(1)
    server.poison = {"subject 0 ñ"}
    assert send_before_exit(engine, gateway, clock) == FlushResult(sent=2, failed=1, waiting=1)
    assert subjects(server)[:4] == ["subject 0 ñ", "subject 1 ñ", "subject 2 ñ", "subject 0 ñ"]


def test_what_never_failed_goes_before_what_did(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    put(engine, clock)
    server.poison = {"subject 1 ñ"}
    flush(engine, gateway, clock)
    clock.advance(24 * 3600)
    put(engine, clock, 2)
    assert flush(engine, gateway, clock) == FlushResult(sent=1, failed=1, waiting=1)


def test_a_gateway_that_is_down_is_asked_once_for_each_try(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    for number in range(9):
        put(engine, clock, number)
    server.statuses = [503]
    assert send_before_exit(engine, gateway, clock) == FlushResult(sent=0, failed=5, waiting=9)
    assert len(server.received) == 5


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
