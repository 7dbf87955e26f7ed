"""An unknown queue must not pass for a day without calls."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from audio_extract_dagster.extraction.queues import UnknownQueue, require_queues
from audio_extract_dagster.genesys import GenesysClient, LocalBudget
from audio_extract_dagster.simulator import Fault, Simulator, World
from audio_extract_dagster_tests.fake_clock import FakeClock


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(World()) as running:
        yield running


@pytest.fixture
def client(simulator: Simulator) -> Iterator[GenesysClient]:
    clock = FakeClock()
    with GenesysClient(
        simulator.url,
        simulator.url,
        "id",
        "secret",
        budget=LocalBudget(300, clock),
        clock=clock,
        rng=random.Random(1),
    ) as opened:
        yield opened


def test_known_queues_pass(simulator: Simulator, client: GenesysClient) -> None:
    require_queues(client, World().queue_ids)


def test_an_unknown_queue_is_named_with_its_setting(client: GenesysClient) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(UnknownQueue, match=rf"{unknown}(?s:.)*GENESYS_QUEUE_ID"):
        require_queues(client, [World().queue_ids[0], unknown])


def test_a_client_that_may_not_look_at_queues_is_believed(
    simulator: Simulator, client: GenesysClient
) -> None:
    simulator.faults.add(Fault("any", "status", times=None, after=1, params={"status": 403}))
    require_queues(client, ["whatever"])
