from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.genesys import DEFAULT_POLICY, GenesysClient, RetryPolicy
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.genesys.clients import ClientMaker, new_client
from audio_extract_dagster_tests.genesys.scripted_server import ScriptedServer


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies and certificates of the machine that runs the tests are not theirs."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def make_client(server: ScriptedServer, clock: FakeClock) -> Iterator[ClientMaker]:
    """Makes clients that log in at the scripted server and are closed after the test."""
    with ExitStack() as open_clients:

        def make(
            api_url: str = server.url, policy: RetryPolicy = DEFAULT_POLICY, clock: Clock = clock
        ) -> GenesysClient:
            client = new_client(server.url, api_url, clock, policy=policy, per_minute=100_000)
            return open_clients.enter_context(client)

        yield make


@pytest.fixture
def client(make_client: ClientMaker) -> GenesysClient:
    return make_client()
