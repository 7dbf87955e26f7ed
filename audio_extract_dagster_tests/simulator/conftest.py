"""A simulator with a clock that jumps, standing at six in the morning of 11 March 2026 in Lima."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from audio_extract_dagster.simulator import Conversation, Simulator, World
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.simulator.api import TUESDAY, Api


@pytest.fixture(scope="session")
def world() -> World:
    """Shared: a world never changes."""
    return World(seed=7, calls_per_day=60)


@pytest.fixture(scope="session")
def truth(world: World) -> list[Conversation]:
    """Everything of the day, by start."""
    return world.conversations(TUESDAY)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def simulator(world: World, clock: FakeClock) -> Iterator[Simulator]:
    with Simulator(world, clock=clock) as running:
        running.switches.rate_limit = 100_000
        yield running


@pytest.fixture
def api(simulator: Simulator) -> Iterator[Api]:
    client = Api(simulator.url).log_in()
    yield client
    client.session.close()
