"""The day that nothing disturbs: what every other scenario is measured by."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import World
from audio_extract_dagster_tests.scenarios.day import TUESDAY, Scene, obtainable
from audio_extract_dagster_tests.scenarios.ending import Ending


def test_the_truth_of_the_world_is_stored_to_the_byte(world: World, calm: Ending) -> None:
    truth = {
        (call.id, recording.id, 0 if recording.parts == 1 else part + 1): sha256(
            world.content(recording, part)
        ).hexdigest()
        for call, recording in obtainable(world)
        for part in range(recording.parts)
    }
    stored = {key: calm.state.records[key]["sha256"] for key in calm.state.keys_with("STORED")}
    assert stored == truth
    assert Counter(calm.state.files.values()) == Counter(truth.values())


def test_every_call_is_accounted_for(world: World, calm: Ending) -> None:
    calls = [each for each in world.conversations(TUESDAY) if each.story != "chat"]
    assert {key for (key,) in calm.state.conversations} == {call.id for call in calls}
    agent_calls = {call.id for call in calls if call.has_agent}
    assert {key for (key,) in calm.state.agent_calls} == agent_calls
    assert {key[0] for key in calm.state.records} == agent_calls


def test_what_genesys_does_not_give_has_a_reason(calm: Ending) -> None:
    assert calm.status is JobStatus.INCOMPLETE
    assert calm.error is None
    assert calm.state.reasons.keys() == {
        "archived",
        "call_open",
        "deleted",
        "error_state",
        "not_answered",
        "not_recorded",
        "restoring",
        "uploading",
    }
    assert calm.counts.ignored == 2  # the screens


def test_nothing_is_fetched_twice_and_little_is_asked(calm: Ending) -> None:
    assert set(calm.downloads.values()) == {1}
    reading = {"token": 1, "settings": 1, "details_query": 2, "batch_submit": 2, "batch_poll": 2}
    assert calm.requests.items() >= reading.items()
    assert calm.requests["metadata"] <= len(calm.state.reasons) + 4


def test_another_run_asks_only_for_what_is_open(scene: Scene) -> None:
    first = scene.run()
    second = scene.run()
    assert second.state == first.state
    assert second.downloads == {}
    assert [batch["requested_count"] for batch in second.batches][-1] == 4
    assert second.api_requests <= 2 + 1 + 1 + 1 + 1 + 4


def test_uploads_that_finish_complete_the_day(scene: Scene, calm: Ending) -> None:
    scene.run()
    scene.simulator.finish_uploads()
    ending = scene.run()
    late = calm.state.keys_with("PENDING") & ending.state.keys_with("STORED")
    assert {calm.state.records[key]["reason"] for key in late} == {"uploading", "restoring"}
    assert ending.state.reasons.keys() & {"uploading", "restoring"} == set()
    assert sum(ending.downloads.values()) == 2
