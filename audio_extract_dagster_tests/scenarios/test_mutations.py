"""Two thousand answers that are not as documented: no crash, no call lost without a word."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace

import pytest

from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import World
from audio_extract_dagster_tests.postgres import Server
from audio_extract_dagster_tests.scenarios.conftest import SceneMaker
from audio_extract_dagster_tests.scenarios.day import LIMITS, Scene
from audio_extract_dagster_tests.scenarios.ending import DayState, Ending
from audio_extract_dagster_tests.scenarios.mutations import Mutator

SEEDS = range(20)
MUTATED_ANSWERS = 100
# Two calls per batch, and eight looks at each: many answers for a small day.
MANY_BATCHES = replace(LIMITS, batch_size=2, batches_in_flight=40, batch_deadline=900)
LOOKS = 8


def everything_can_be_had(scene: Scene) -> Scene:
    """A day that can end SUCCEEDED: nothing is late, and open calls give their audio, too."""
    scene.simulator.finish_uploads()
    scene.simulator.switches.open_call_recordings = True
    scene.simulator.switches.audio_bytes = 2000
    return scene


@pytest.fixture(scope="module")
def quiet(
    no_surroundings: None,
    world: World,
    postgres_server: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> DayState:
    """How that day ends without mutations."""
    with (
        postgres_server.database() as database,
        Scene(world, database, tmp_path_factory.mktemp("quiet")) as scene,
    ):
        ending = everything_can_be_had(scene).run()
    assert ending.status is JobStatus.SUCCEEDED
    return ending.state


def audio_by_call(state: DayState) -> dict[str, set[str]]:
    """The checksums of each call's audio."""
    found: dict[str, set[str]] = defaultdict(set)
    for key in state.keys_with("STORED"):
        found[key[0]].add(state.records[key]["sha256"])
    return found


def silently_lost(ending: Ending, quiet: DayState, touched: set[str]) -> set[str]:
    """Calls whose audio is neither all there nor told as open.

    Left out are those whose own description was changed: what takes part in a call is known from
    nothing else, until the day is listed again.
    """
    stored = audio_by_call(ending.state)
    is_open = {k[0] for k in ending.state.keys_with("PENDING") | ending.state.keys_with("FAILED")}
    incomplete = {call for call, audio in audio_by_call(quiet).items() if audio - stored[call]}
    return incomplete - is_open - touched


@pytest.mark.parametrize("seed", SEEDS)
def test_mutated_answers(make_scene: SceneMaker, world: World, quiet: DayState, seed: int) -> None:
    scene = everything_can_be_had(make_scene(world, limits=MANY_BATCHES))
    scene.simulator.switches.batch_polls = LOOKS
    mutator = Mutator(random.Random(seed), share=0.5)
    for fault in mutator.faults():
        scene.simulator.faults.add(fault)
    # A login or a listing that fails is the end of a run, so it takes one or two of them.
    while mutator.count < MUTATED_ANSWERS:
        ending = scene.run()
        assert ending.api_requests < 1500
        if ending.status is not JobStatus.FAILED:
            assert silently_lost(ending, quiet, mutator.touched) == set()

    scene.simulator.switches.batch_polls = None
    scene.limits = LIMITS
    after = scene.run_undisturbed()
    assert after.error is None
    assert audio_by_call(after.state).items() >= audio_by_call(quiet).items()
    for table in ("conversations", "agent_calls"):
        mine, truth = getattr(after.state, table), getattr(quiet, table)
        assert {key: mine.get(key) for key in truth} == truth
    assert {key[0] for key in after.state.records} >= {key[0] for key in quiet.records}
