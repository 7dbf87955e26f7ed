"""The outbox on a real PostgreSQL and a real gateway on loopback."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine

from audio_extract_dagster.notify.gateway import Gateway
from audio_extract_dagster.notify.message import Message
from audio_extract_dagster.notify.outbox import FlushResult, Kind, enqueue, flush
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer
from audio_extract_dagster_tests.notify.posting import DAY, message, put, rows, subjects


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
        enqueue(
            connection, Kind.DAY, message(), about="run-1", outcome="SUCCEEDED", now=clock.now()
        )
        raise RuntimeError
    assert flush(engine, gateway, clock) == FlushResult(0, 0, 0)


def test_a_message_with_characters_that_a_table_cannot_hold(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    with engine.begin() as connection:
        strange = Message("a\0b", "a\ud800b", "a\0\udfffb")
        enqueue(connection, Kind.DAY, strange, about="run-1", outcome="FAILED", now=clock.now())
    assert flush(engine, gateway, clock).sent == 1
    assert server.received[0]["title"] == "a\ufffdb"


def test_a_digest_has_no_day(engine: Engine, gateway: Gateway, clock: FakeClock) -> None:
    with engine.begin() as connection:
        enqueue(
            connection, Kind.DIGEST, message(), about="backfill", outcome="DONE", now=clock.now()
        )
    assert flush(engine, gateway, clock).sent == 1


def test_messages_go_out_oldest_first(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    for number in (3, 1, 2):
        put(engine, clock, number)
        clock.advance(1)
    flush(engine, gateway, clock)
    assert subjects(server) == ["subject 3 ñ", "subject 1 ñ", "subject 2 ñ"]


def test_two_that_flush_at_once_never_send_the_same_message(
    engine: Engine, gateway: Gateway, clock: FakeClock, server: HttpGatewayServer
) -> None:
    put(engine, clock)
    server.gate = threading.Event()
    results = []
    first = threading.Thread(target=lambda: results.append(flush(engine, gateway, clock)))
    first.start()
    assert server.asked.acquire(timeout=10)
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
