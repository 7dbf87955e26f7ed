"""Metadata that cannot be had: of one call, of three, of any."""

from __future__ import annotations

import pytest

from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import Fault, World
from audio_extract_dagster_tests.scenarios.day import TUESDAY, Scene
from audio_extract_dagster_tests.scenarios.ending import Ending


def first_missing(world: World, calm: Ending, count: int) -> list[str]:
    """The first calls of the day whose metadata is asked for: no audio comes of them."""
    missing = {key[0] for key in calm.state.keys_with("MISSING")}
    return [call.id for call in world.conversations(TUESDAY) if call.id in missing][:count]


@pytest.mark.parametrize("kind", ["status", "garbage"])
def test_metadata_that_cannot_be_had_leaves_the_calls_open(
    scene: Scene, calm: Ending, kind: str
) -> None:
    scene.simulator.faults.add(Fault("metadata", kind, times=None))
    ending = scene.run()
    assert ending.status is JobStatus.INCOMPLETE
    assert ending.state.keys_with("STORED") == calm.state.keys_with("STORED")
    # Three failed; the others are left to the next run.
    assert ending.state.reasons.keys() == {"metadata_unreadable", "batch_unfinished"}
    assert ending.state.reasons["metadata_unreadable"] == 3
    assert ending.state.files == calm.state.files
    # Five tries for each of three calls, and then it is the server.
    assert ending.requests["metadata"] == 15

    after = scene.run_undisturbed()
    assert after.state == calm.state
    assert after.downloads == {}


def test_one_call_whose_metadata_is_refused_costs_that_call_alone(
    scene: Scene, calm: Ending
) -> None:
    key = min(k for k, row in calm.state.records.items() if row["reason"] == "not_recorded")
    scene.refuse("metadata", 400, key[0])
    ending = scene.run()
    assert ending.error is None
    assert ending.state.records[key]["reason"] == "metadata_unreadable"
    assert ending.state.keys_with("STORED") == calm.state.keys_with("STORED")
    assert scene.run_undisturbed().state == calm.state


def test_three_whose_metadata_is_refused_do_not_stand_for_the_others(
    scene: Scene, calm: Ending, world: World
) -> None:
    refused = first_missing(world, calm, 3)
    scene.refuse("metadata", 400, *refused)
    ending = scene.run()
    assert ending.state.records_but_of(*refused) == calm.state.records_but_of(*refused)


def test_three_without_metadata_leave_the_others_to_the_next_run(
    scene: Scene, calm: Ending, world: World
) -> None:
    silent = first_missing(world, calm, 3)
    scene.refuse("metadata", 500, *silent)
    first, second = scene.run(), scene.run()
    for ending in (first, second):
        assert {key[0] for key in ending.state.keys_with("FAILED")} == set(silent)
    assert second.state.records_but_of(*silent) == calm.state.records_but_of(*silent)
    assert scene.run_undisturbed().state == calm.state
