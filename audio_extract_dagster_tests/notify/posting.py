"""Messages put into the outbox, and what is seen of them there and at the gateway."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Engine, Row, select

from audio_extract_dagster.database.tables import notifications
from audio_extract_dagster.notify.message import Message
from audio_extract_dagster.notify.outbox import Kind, enqueue
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer

DAY = date(2026, 3, 11)


def message(number: int = 1) -> Message:
    return Message(f"title {number}", f"subject {number} ñ", f"<p>{number}</p>")


def put(engine: Engine, clock: FakeClock, number: int = 1, status: str = "SUCCEEDED") -> bool:
    with engine.begin() as connection:
        return enqueue(
            connection,
            Kind.DAY,
            message(number),
            about=f"run-{number}",
            outcome=status,
            call_date=DAY,
            now=clock.now(),
        )


def rows(engine: Engine) -> list[Row[Any]]:
    with engine.connect() as connection:
        return list(connection.execute(select(notifications).order_by(notifications.c.run_id)))


def subjects(server: HttpGatewayServer) -> list[str]:
    return [received["subject"] for received in server.received]
