"""The HTTP server itself: connections, starting and stopping."""

from __future__ import annotations

import threading
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests

from audio_extract_dagster.simulator import Simulator, World
from audio_extract_dagster_tests.simulator.api import Api

ME = "/api/v2/tokens/me"


def test_connections_are_kept_alive(simulator: Simulator, api: Api) -> None:
    address = urlsplit(simulator.url)
    connection = HTTPConnection(address.hostname or "", address.port)
    try:
        connection.connect()
        local = connection.sock.getsockname()
        for _ in range(3):
            connection.request("GET", ME)
            assert connection.getresponse().read()
            assert connection.sock.getsockname() == local
    finally:
        connection.close()


def test_every_answer_has_its_own_correlation_id(api: Api) -> None:
    seen = {api.get(ME).headers["ININ-Correlation-Id"] for _ in range(5)}
    assert len(seen) == 5


def test_many_at_once(simulator: Simulator, api: Api) -> None:
    token = api.session.headers["Authorization"]
    statuses = []

    def ask() -> None:
        for _ in range(10):
            reply = requests.get(simulator.url + ME, headers={"Authorization": token})
            statuses.append(reply.status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 80
    assert simulator.counters["tokens_me"] == 80


def test_stopping_ends_open_connections_and_a_restart_keeps_port_and_jobs(
    simulator: Simulator, api: Api, world: World
) -> None:
    job = api.submit("nobody")
    url = simulator.url
    simulator.stop()
    with pytest.raises(requests.ConnectionError):
        api.get(ME)
    with pytest.raises(RuntimeError, match="not running"):
        _ = simulator.url
    simulator.start()
    assert simulator.url == url
    assert api.poll(job)["jobId"] == job


def test_starting_and_stopping_twice_is_harmless(world: World) -> None:
    simulator = Simulator(world)
    with simulator.start() as running:
        assert running is simulator
        assert requests.get(simulator.url + ME).status_code == 401
    simulator.stop()


def test_a_taken_port_is_told(simulator: Simulator, world: World) -> None:
    port = urlsplit(simulator.url).port
    assert port
    with pytest.raises(OSError, match="in use"):
        Simulator(world, port=port).start()
