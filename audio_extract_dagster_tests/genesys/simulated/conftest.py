"""A simulated Genesys Cloud, on a clock that jumps, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from audio_extract_dagster.genesys import (
    GenesysClient,
)
from audio_extract_dagster.simulator import Simulator, World
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.genesys.clients import CLIENT_ID, CLIENT_SECRET, new_client


@pytest.fixture
def world() -> World:
    return World(seed=5, calls_per_day=250)


@pytest.fixture
def simulator(world: World, clock: FakeClock) -> Iterator[Simulator]:
    simulator = Simulator(world, clock=clock, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    with simulator as running:
        yield running


@pytest.fixture
def client(simulator: Simulator, clock: FakeClock) -> Iterator[GenesysClient]:
    with new_client(simulator.url, simulator.url, clock) as made:
        yield made
