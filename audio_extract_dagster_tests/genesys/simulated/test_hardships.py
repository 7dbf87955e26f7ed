"""What a day with a difficult org costs: limits, tokens that die, broken answers, odd ids."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from audio_extract_dagster.genesys import (
    GenesysClient,
    RateLimited,
    SubmissionUncertain,
)
from audio_extract_dagster.genesys.pacing import WINDOW
from audio_extract_dagster.simulator import Fault, Simulator, World
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.genesys.clients import new_client
from audio_extract_dagster_tests.genesys.simulated.asking import (
    DAY,
    END,
    START,
    all_pages,
    finished,
    is_open,
)


def test_the_budget_is_used_and_never_passed(
    client: GenesysClient, simulator: Simulator, clock: FakeClock
) -> None:
    started = clock.monotonic()
    for _ in range(960):
        client.link_lifetime()

    assert 230 < clock.monotonic() - started <= 960 * WINDOW / 240
    assert client.usage.rate_limit_wait == client.usage.retry_wait == 0
    assert simulator.counters["settings"] == 960


@pytest.mark.parametrize("allowed", [10, 50])
def test_a_smaller_limit_of_the_org_costs_time_only(
    client: GenesysClient, simulator: Simulator, clock: FakeClock, allowed: int
) -> None:
    """Genesys tells with each answer what is left, so that its 429 need not come."""
    simulator.switches.rate_limit = allowed
    started = clock.monotonic()

    for _ in range(5 * allowed):
        client.link_lifetime()

    assert client.usage.rate_limit_wait == 0
    assert clock.monotonic() - started < 5 * 60


def test_tokens_of_five_minutes_and_revoked_ones(
    client: GenesysClient, simulator: Simulator, clock: FakeClock
) -> None:
    simulator.switches.token_seconds = 300

    for ask in range(30):
        if ask in (2, 12, 22):
            simulator.revoke_tokens()
        client.organization_name()
        clock.advance(50)

    # The first token, three for those that were revoked, and three for those that grew too old.
    assert client.usage.requests == {"token": 7, "organization": 30 + 3}


def test_an_unlucky_day_is_listed_all_the_same(
    client: GenesysClient, simulator: Simulator, world: World
) -> None:
    expected = [hit.id for hit in all_pages(client)]
    for kind in ("reset_before", "reset_after", "html", "garbage", "empty_body", "truncate"):
        simulator.faults.add(Fault("any", kind, times=None, probability=0.04))
    for retry_after in (20, None):
        params = {"retry_after": retry_after}
        simulator.faults.add(
            Fault("any", "rate_limited", times=None, probability=0.1, params=params)
        )

    for _ in range(20):
        assert [hit.id for hit in all_pages(client)] == expected
    assert client.usage.retry_wait > 0
    assert client.usage.rate_limit_wait > 0


@pytest.mark.parametrize("kind", ["reset_after", "garbage", "empty_body", "truncate"])
def test_a_lost_answer_makes_no_second_job(
    client: GenesysClient, simulator: Simulator, world: World, kind: str
) -> None:
    simulator.faults.add(Fault("batch_submit", kind, times=1))

    with pytest.raises(SubmissionUncertain):
        client.submit_batch([world.conversations(DAY)[0].id])
    assert len(simulator.log) == 1


def test_a_quota_that_is_used_up_is_left_for_later(
    client: GenesysClient, simulator: Simulator
) -> None:
    fault = Fault("batch_submit", "rate_limited", params={"retry_after": 7200})
    simulator.faults.add(fault)

    with pytest.raises(RateLimited):
        client.submit_batch(["c-1"])


def test_ids_that_attack_stay_ids(clock: FakeClock) -> None:
    world = World(seed=5, calls_per_day=60, hostile_ids=True)
    with ExitStack() as stack:
        simulator = stack.enter_context(Simulator(world, clock=clock))
        client = stack.enter_context(new_client(simulator.url, simulator.url, clock))
        listed = {hit.id for hit in all_pages(client) if START <= hit.start < END}
        for call in world.conversations(DAY):
            metadata = client.recording_metadata(call.id)
            assert is_open(call, clock) or len(metadata) == len(call.recordings)
            assert call.id in listed or call.story == "chat"
        odd = [id_ for id_ in listed if not id_.replace("-", "").isalnum()]
        assert odd
        status = finished(client, client.submit_batch(odd), clock)
    assert {result.conversation_id for result in status.results} <= set(odd)
