"""A conversation without an agent that stays open for days, and then an agent calls back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from audio_extract_dagster.database.ledger import jobs, waiting
from audio_extract_dagster.extraction.late_audio import AskAgain, days_to_ask_again
from audio_extract_dagster.simulator import Conversation, World
from audio_extract_dagster.simulator.model import Slot, iso, milliseconds
from audio_extract_dagster_tests.scenarios.conftest import SceneMaker
from audio_extract_dagster_tests.scenarios.day import FRIDAY, TUESDAY, Scene

WEEK = timedelta(days=7)
CALLED_BACK = FRIDAY + timedelta(days=5)
LATE_AUDIO = timedelta(days=7)


class CalledBack(World):
    """A world in which a caller waits for days, in a conversation that goes on meanwhile."""

    now = FRIDAY

    def build(self, slot: Slot) -> Conversation:
        call = super().build(slot)
        if call.story != "stuck":
            return call
        people = call.payload["participants"]
        if self.now < CALLED_BACK:
            waits = [each for each in people if each["purpose"] != "agent"]
            return replace(call, payload={**call.payload, "participants": waits}, recordings=())
        end = milliseconds(CALLED_BACK)
        return replace(call, end_ms=end, payload={**call.payload, "conversationEnd": iso(end)})


@pytest.fixture
def world() -> CalledBack:
    return CalledBack(seed=7, calls_per_day=40)


def asked(scene: Scene, now: datetime) -> list[AskAgain]:
    """What the sensor asks for because of conversations without an agent."""
    with scene.engine.connect() as connection:
        calls = waiting.conversations_to_look_at(connection, now - timedelta(days=77))
        last = jobs.last_jobs(connection, [each.call_date for each in calls])
    return days_to_ask_again([], now, LATE_AUDIO, last, calls=calls)


def test_an_agent_who_comes_after_the_day_is_done_is_found(
    make_scene: SceneMaker, world: CalledBack
) -> None:
    scene = make_scene(world)
    call = next(each for each in world.conversations(TUESDAY) if each.story == "stuck")
    first = scene.run()
    assert first.state.conversations[call.id,]["excluded_reason"] == "no_agent"
    assert asked(scene, scene.clock.now() + WEEK - timedelta(minutes=30)) == []

    scene.clock.advance(WEEK.total_seconds())
    world.now = scene.clock.now()
    (again,) = asked(scene, world.now)
    assert (again.day, again.why) == (TUESDAY, "1 conversations may get an agent")
    ending = scene.run()
    assert (call.id,) in ending.state.agent_calls
    assert {key for key in ending.state.keys_with("STORED") if key[0] == call.id}
    assert asked(scene, world.now + 2 * WEEK) == []
