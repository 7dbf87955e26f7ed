"""The client and the simulator, each written from the same reference, understand each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, datetime, timedelta, timezone

import pytest

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.genesys import (
    BatchJobStatus,
    Conversation,
    GenesysClient,
    LoginRefused,
    NotFound,
    NotPermitted,
    RateLimited,
    SubmissionUncertain,
)
from audio_extract_dagster.genesys.pacing import WINDOW
from audio_extract_dagster.simulator import Conversation as TrueConversation
from audio_extract_dagster.simulator import Fault, Simulator, World
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.genesys.clients import CLIENT_ID, CLIENT_SECRET, new_client

DAY = date(2026, 3, 10)
START = datetime(2026, 3, 10, 5, tzinfo=timezone.utc)
END = START + timedelta(days=1)


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


def all_pages(client: GenesysClient, *queue_ids: str) -> list[Conversation]:
    found: list[Conversation] = []
    page_number = 1
    while True:
        page = client.query_conversations(START, END, queue_ids, page_number)
        assert page.unreadable == 0
        if not page.conversations:
            return found
        found += page.conversations
        page_number += 1


def is_open(call: TrueConversation, clock: Clock) -> bool:
    return call.end_ms is None or call.end_ms > clock.now().timestamp() * 1000


def finished(client: GenesysClient, job_id: str, clock: Clock) -> BatchJobStatus:
    for _ in range(50):
        status = client.batch_status(job_id)
        if status.finished:
            return status
        clock.sleep(10)
    raise AssertionError("the batch does not finish")


def test_a_day_is_listed_whole(
    client: GenesysClient, simulator: Simulator, world: World, clock: FakeClock
) -> None:
    simulator.switches.future_fields = True
    clock.advance(14 * 3600)

    found = {hit.id: hit for hit in all_pages(client) if START <= hit.start < END}

    calls = [
        call
        for call in world.conversations(DAY)
        if any(
            session["mediaType"] == "voice"
            for participant in call.payload["participants"]
            for session in participant["sessions"]
        )
    ]
    assert len(calls) == 250
    assert found.keys() == {call.id for call in calls}
    for call in calls:
        hit = found[call.id]
        assert hit.start == call.start
        assert (hit.end is None) == is_open(call, clock)
        has_agent = any(
            participant.purpose == "agent"
            and any(session.media_type == "voice" for session in participant.sessions)
            for participant in hit.participants
        )
        assert has_agent == call.has_agent


def test_a_queue_is_listed_alone(client: GenesysClient, world: World) -> None:
    queue_id = world.queue_ids[1]

    found = all_pages(client, queue_id)

    assert 0 < len(found) < 250
    for hit in found:
        queues = {
            segment.queue_id
            for participant in hit.participants
            for session in participant.sessions
            for segment in session.segments
        }
        assert queue_id in queues


@pytest.mark.parametrize("status_field", [True, False])
def test_recordings_come_through_a_batch(
    client: GenesysClient,
    simulator: Simulator,
    world: World,
    clock: FakeClock,
    status_field: bool,
) -> None:
    simulator.switches.batch_status_field = status_field
    simulator.switches.batch_seconds = 60
    simulator.switches.batch_expected_rises = True
    calls = [call for call in world.conversations(DAY) if call.recordings][:90]

    job_id = client.submit_batch([call.id for call in calls])
    status = finished(client, job_id, clock)

    assert (status.status == "Completed") is status_field
    assert len(status.results) == status.result_count == status.expected_count
    assert all((result.url is None) != (result.error is None) for result in status.results)
    recordings = {recording.id for call in calls for recording in call.recordings}
    assert {result.recording_id for result in status.results if result.url} <= recordings
    assert {result.conversation_id for result in status.results} <= {call.id for call in calls}


@pytest.mark.parametrize("none", ["empty", "not_found"])
def test_metadata_of_each_conversation(
    client: GenesysClient, simulator: Simulator, world: World, none: str
) -> None:
    simulator.switches.set("metadata_none", none)

    for call in world.conversations(DAY)[:60]:
        found = client.recording_metadata(call.id)
        assert [(entry.id, entry.media) for entry in found] == [
            (recording.id, recording.media) for recording in call.recordings
        ]


def test_a_healthy_org_passes_every_probe(
    client: GenesysClient, simulator: Simulator, world: World
) -> None:
    client.check_analytics_permission()
    client.check_recording_permission()
    assert client.organization_name() == "Simulated contact centre"
    assert client.queue_name(world.queue_ids[0]) == "Atencion al cliente"
    assert client.queue_name("nobody") is None
    assert client.link_lifetime() == timedelta(minutes=60)
    assert simulator.log == []


def test_missing_permissions_are_named(client: GenesysClient, simulator: Simulator) -> None:
    simulator.switches.missing_permissions = ("details_query", "metadata")

    with pytest.raises(NotPermitted, match="analytics:conversationDetail:view"):
        client.check_analytics_permission()
    with pytest.raises(NotPermitted, match="recording:recording:view"):
        client.check_recording_permission()


def test_a_wrong_secret_is_refused(simulator: Simulator, clock: FakeClock) -> None:
    with (
        new_client(simulator.url, simulator.url, clock, secret="wrong") as client,
        pytest.raises(LoginRefused),
    ):
        client.organization_name()
    assert simulator.counters["token"] == 1


def test_a_job_of_another_client_is_not_found(client: GenesysClient) -> None:
    with pytest.raises(NotFound):
        client.batch_status("11111111-2222-4333-8444-555555555555")


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
