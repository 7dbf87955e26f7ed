"""A gateway on loopback, what is called to reach it, and a clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from audio_extract_dagster.notify.gateway import Gateway, open_gateway
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer, http_gateway


@pytest.fixture
def server() -> Iterator[HttpGatewayServer]:
    with http_gateway() as running:
        yield running


@pytest.fixture
def gateway(server: HttpGatewayServer) -> Gateway:
    return open_gateway(server.url, ["ana@example.com"])


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
