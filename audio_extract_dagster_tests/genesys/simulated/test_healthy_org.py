"""The client and the simulator, each written from the same reference, understand each other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audio_extract_dagster.genesys import (
    GenesysClient,
    LoginRefused,
    NotFound,
    NotPermitted,
)
from audio_extract_dagster.simulator import Simulator, World
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
