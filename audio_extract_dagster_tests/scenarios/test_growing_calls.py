"""Calls that get another recording after their first has its answer: it is fetched, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import Conversation, Fault, World
from audio_extract_dagster.simulator.model import Slot, iso, milliseconds
from audio_extract_dagster_tests.scenarios.conftest import SceneMaker
from audio_extract_dagster_tests.scenarios.day import FRIDAY, TUESDAY, Scene
from audio_extract_dagster_tests.scenarios.ending import Ending, Row

HOUR = timedelta(hours=1)


class Growing(World):
    """A world with a call that ends at `end` and gets its second recording at `second`."""

    now = FRIDAY
    end = FRIDAY + HOUR
    second = FRIDAY + HOUR
    first_state = "AVAILABLE"
    sessions = 1

    def build(self, slot: Slot) -> Conversation:
        call = super().build(slot)
        if call.story != "stuck":
            return call
        first = replace(call.recordings[0], state=self.first_state)
        another = replace(first, id=f"{first.id[:-4]}beef", state="AVAILABLE")
        recordings = (first, another) if self.now >= self.second else (first,)
        payload = {**call.payload, "conversationEnd": iso(milliseconds(self.end))}
        for session in _recorded(payload)[: self.sessions - 1]:
            session["recording"] = True
        return replace(call, end_ms=milliseconds(self.end), payload=payload, recordings=recordings)


def _recorded(payload: Row) -> list[Row]:
    """The voice sessions that do not say yet that they were recorded."""
    return [
        session
        for participant in payload["participants"]
        for session in participant["sessions"]
        if session["mediaType"] == "voice" and not session.get("recording")
    ]


class Story:
    """A growing call and the runs of its day."""

    def __init__(self, make_scene: SceneMaker, **settings: object) -> None:
        self.world = Growing(seed=7, calls_per_day=40)
        for name, value in settings.items():
            setattr(self.world, name, value)
        self.scene: Scene = make_scene(self.world)
        self.scene.simulator.finish_uploads()
        self.scene.simulator.switches.open_call_recordings = True
        calls = self.world.conversations(TUESDAY)
        self.id = next(call.id for call in calls if call.story == "stuck")

    def run_at(self, moment: datetime) -> Ending:
        self.scene.clock.advance((moment - self.scene.clock.now()).total_seconds())
        self.world.now = moment
        return self.scene.run()

    def fails_at(self, moment: datetime) -> None:
        """A run that submits its batch, and nobody tells it what became of that."""
        faults = self.scene.simulator.faults
        faults.add(Fault("batch_poll", "status", times=None, params={"status": 500}))
        assert self.run_at(moment).status is JobStatus.FAILED
        faults.clear()

    def stored(self, ending: Ending) -> int:
        return sum(key[0] == self.id for key in ending.state.keys_with("STORED"))

    def requests(self, ending: Ending) -> int:
        """How many batches have asked for the call by now."""
        items = [item for batch in ending.batches for item in batch["requested"]]
        return sum(item["conversationId"] == self.id for item in items)


StoryMaker = Callable[..., Story]


@pytest.fixture
def tell(make_scene: SceneMaker) -> StoryMaker:
    return lambda **settings: Story(make_scene, **settings)


def test_what_a_call_gets_when_it_ends_is_fetched_and_nobody_asks_before(tell: StoryMaker) -> None:
    story = tell(end=FRIDAY + 48 * HOUR, second=FRIDAY + 48 * HOUR)
    first = story.scene.run()
    again = story.run_at(FRIDAY + 24 * HOUR)
    assert (story.stored(first), story.requests(first)) == (1, 1)
    assert (story.stored(again), story.requests(again)) == (1, 1)
    after = story.run_at(FRIDAY + 100 * HOUR)
    assert (story.stored(after), story.requests(after)) == (2, 2)
    assert [key[1][-4:] for key in after.downloads] == ["beef"]
    assert story.requests(story.run_at(FRIDAY + 101 * HOUR)) == 2


def test_a_batch_from_before_the_end_that_is_read_after_it_is_not_the_last_word(
    tell: StoryMaker,
) -> None:
    story = tell()
    story.fails_at(FRIDAY)
    read = story.run_at(FRIDAY + 2 * HOUR)
    assert (story.stored(read), story.requests(read)) == (1, 1)
    after = story.run_at(FRIDAY + 26 * HOUR)
    assert (story.stored(after), story.requests(after)) == (2, 2)


def test_an_answer_is_as_old_as_its_batch_also_if_it_is_read_days_later(tell: StoryMaker) -> None:
    story = tell(second=FRIDAY + 4 * HOUR)
    story.scene.run()
    story.fails_at(FRIDAY + 2 * HOUR)
    assert story.stored(story.run_at(FRIDAY + 30 * HOUR)) == 1
    assert story.stored(story.run_at(FRIDAY + 54 * HOUR)) == 2


def test_a_run_that_ends_before_the_last_word_forgets_nothing(tell: StoryMaker) -> None:
    """The first file takes the place of the row that says that the call may have more."""
    story = tell(second=FRIDAY + 5 * HOUR)
    story.scene.simulator.switches.open_call_recordings = False
    story.scene.run()
    faults = story.scene.simulator.faults
    faults.add(Fault("metadata", "rate_limited", times=None, params={"retry_after": 3600}))
    broke = story.run_at(FRIDAY + 2 * HOUR)
    assert (story.stored(broke), broke.status) == (1, JobStatus.FAILED)
    faults.clear()
    story.run_at(FRIDAY + 3 * HOUR)
    assert story.stored(story.run_at(FRIDAY + 50 * HOUR)) == 2


def test_a_call_whose_first_recording_cannot_be_had_is_not_forgotten(tell: StoryMaker) -> None:
    story = tell(first_state="DELETED")
    assert story.stored(story.scene.run()) == 0
    assert story.stored(story.run_at(FRIDAY + 2 * HOUR)) == 1


def test_what_is_attached_hours_after_the_end_is_waited_for(tell: StoryMaker) -> None:
    story = tell(second=FRIDAY + 4 * HOUR)
    story.scene.run()
    assert story.stored(story.run_at(FRIDAY + 2 * HOUR)) == 1
    assert story.stored(story.run_at(FRIDAY + 26 * HOUR)) == 2
    assert story.requests(story.run_at(FRIDAY + 27 * HOUR)) == 3


def test_fewer_recordings_than_sessions_are_believed_a_day_after_the_end(
    tell: StoryMaker,
) -> None:
    story = tell(end=FRIDAY - 6 * HOUR, second=FRIDAY + 3 * HOUR, sessions=2)
    first = story.scene.run()
    assert (story.stored(first), first.status) == (1, JobStatus.SUCCEEDED)
    assert story.stored(story.run_at(FRIDAY + 24 * HOUR)) == 2
    assert story.requests(story.run_at(FRIDAY + 25 * HOUR)) == 2
