"""One recording with several results, which need not come together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from audio_extract_dagster.database.connection import DatabaseRefused
from audio_extract_dagster.genesys import RateLimited
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import Fault, Recording, World
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.scenarios.conftest import SceneMaker
from audio_extract_dagster_tests.scenarios.day import TUESDAY, Scene
from audio_extract_dagster_tests.scenarios.ending import Ending


@pytest.fixture(scope="session")
def in_parts(world: World) -> Recording:
    """The recording of the day that comes in several parts."""
    calls = (call for call in world.conversations(TUESDAY) if call.has_agent)
    return next(each for call in calls for each in call.recordings if each.parts > 1)


def only_one_part(recording: Recording) -> Callable[[Any], object]:
    """The first look shows one part of the recording, and that the batch goes on."""
    seen: list[bool] = []

    def change(answer: Any) -> object:
        parts = [r for r in answer.get("results") or () if r.get("recordingId") == recording.id]
        if parts and not seen:
            seen.append(True)
            answer["results"] = [each for each in answer["results"] if each not in parts[1:]]
            answer["status"] = "InProgress"
        return answer

    return change


def test_parts_that_come_in_two_looks(scene: Scene, calm: Ending, in_parts: Recording) -> None:
    only_one = only_one_part(in_parts)
    scene.simulator.faults.add(Fault("batch_poll", "mutate", times=None, change=only_one))
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
    assert ending.api_requests == calm.api_requests + 1


class SlowFirstFile(World):
    """Holds back one file until it is let go; meanwhile the time of a look passes."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(seed=7, calls_per_day=40)
        self.held = recording
        self.clock: FakeClock | None = None
        self.go_on = threading.Event()

    def content(self, recording: Recording, part: int) -> bytes:
        if recording.id == self.held.id and self.clock is not None:
            clock, self.clock = self.clock, None
            clock.advance(30)
            assert self.go_on.wait(20)
        return super().content(recording, part)


def test_another_part_that_is_offered_while_the_first_one_is_fetched(
    make_scene: SceneMaker, calm: Ending, in_parts: Recording
) -> None:
    world = SlowFirstFile(in_parts)
    scene = make_scene(world)
    world.clock = scene.clock
    only_one = only_one_part(in_parts)
    looks = count(1)

    def look(answer: Any) -> object:
        if next(looks) <= len(calm.batches):
            return only_one(answer)
        world.go_on.set()
        return answer

    scene.simulator.faults.add(Fault("batch_poll", "mutate", times=None, change=look))
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state


def test_parts_of_which_a_dead_run_saw_only_one(
    scene: Scene, calm: Ending, in_parts: Recording
) -> None:
    hours = Fault("batch_poll", "rate_limited", after=2, params={"retry_after": 9999})
    scene.simulator.faults.add(hours)
    only_one = only_one_part(in_parts)
    scene.simulator.faults.add(Fault("batch_poll", "mutate", times=None, change=only_one))
    broken = scene.run()
    assert isinstance(broken.error, RateLimited)
    found = {key for key in broken.state.keys_with("STORED") if key[1] == in_parts.id}
    assert {part for _, _, part in found} == {0}

    ending = scene.run_undisturbed()
    assert ending.error is None
    assert ending.state == calm.state


@pytest.mark.parametrize("result", [0, 3])
def test_a_result_that_is_told_twice_is_no_part(scene: Scene, calm: Ending, result: int) -> None:
    def twice(answer: dict[str, Any]) -> object:
        results = answer.get("results") or []
        answer["results"] = results + results[result : result + 1]
        return answer

    scene.simulator.faults.add(Fault("batch_poll", "mutate", times=None, change=twice))
    ending = scene.run()
    assert ending.state == calm.state


def test_parts_of_which_one_is_an_error_are_asked_for_again_and_none_is_stored(
    scene: Scene, calm: Ending, in_parts: Recording
) -> None:
    def fail_one(answer: Any) -> object:
        parts = [r for r in answer.get("results") or () if r.get("recordingId") == in_parts.id]
        if len(parts) > 1:
            del parts[1]["resultUrl"]
            parts[1]["errorMsg"] = "it cannot be had"
        return answer

    scene.simulator.faults.add(Fault("batch_poll", "mutate", times=None, change=fail_one))
    ending = scene.run()
    assert ending.status is JobStatus.INCOMPLETE
    about = {key: row for key, row in ending.state.records.items() if key[1] == in_parts.id}
    assert [(key[2], row["reason"]) for key, row in about.items()] == [(0, "not_delivered")]
    assert not [name for name in ending.state.files if in_parts.id in name]
    assert len(ending.batches) == len(calm.batches) + 1

    assert scene.run_undisturbed().state == calm.state


def test_no_row_claims_the_part_that_gave_way_to_several(
    scene: Scene, calm: Ending, in_parts: Recording
) -> None:
    """The database refuses the rows of the parts, which have their names by then."""
    with scene.engine.begin() as connection:
        for statement in (
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE insufficient_privilege USING MESSAGE = 'no more parts'; END $$",
            "CREATE TRIGGER refuse BEFORE INSERT ON audio_records FOR EACH ROW"
            " WHEN (NEW.part > 0) EXECUTE FUNCTION refuse()",
        ):
            connection.execute(text(statement))
    only_one = only_one_part(in_parts)
    scene.simulator.faults.add(Fault("batch_poll", "mutate", times=None, change=only_one))
    broken = scene.run()
    assert isinstance(broken.error, DatabaseRefused)
    about = {key: row for key, row in broken.state.records.items() if key[1] == in_parts.id}
    assert [(key[2], row["reason"]) for key, row in about.items()] == [(0, "batch_unfinished")]

    with scene.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER refuse ON audio_records"))
    assert scene.run_undisturbed().state == calm.state
