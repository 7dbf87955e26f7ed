"""What has arrived gets its row soon: before a run sleeps, and before it waits for what is late."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import event, func, select

from audio_extract_dagster.database.tables import audio_records
from audio_extract_dagster.genesys import RateLimited
from audio_extract_dagster.simulator import Fault, Recording, World
from audio_extract_dagster_tests.scenarios.conftest import SceneMaker
from audio_extract_dagster_tests.scenarios.day import Scene
from audio_extract_dagster_tests.scenarios.ending import Ending

LOOK_PAUSE = 5


def files_without_row(scene: Scene) -> int:
    stored = select(func.count()).where(audio_records.c.status == "STORED")
    with scene.engine.connect() as connection:
        rows = connection.scalar(stored) or 0
    return len([path for path in scene.folder.rglob("*.*") if path.is_file()]) - rows


def half_done(answer: Any) -> object:
    """Some results are there, and the batch goes on."""
    results = answer.get("results") or []
    return {**answer, "status": "InProgress", "results": results[: len(results) // 2]}


def test_a_run_sleeps_only_when_every_file_has_its_row(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    unrecorded: list[int] = []
    sleep = scene.clock.sleep

    def watched(seconds: float) -> None:
        if seconds >= LOOK_PAUSE and threading.current_thread() is threading.main_thread():
            unrecorded.append(files_without_row(scene))
        sleep(seconds)

    scene.simulator.faults.add(Fault("batch_poll", "mutate", times=4, change=half_done))
    monkeypatch.setattr(scene.clock, "sleep", watched)
    assert scene.run().error is None
    assert len(unrecorded) > 1
    assert set(unrecorded) == {0}


class OneLateFile(World):
    """Gives one file only after rows of others have been written."""

    def __init__(self) -> None:
        super().__init__(seed=7, calls_per_day=40)
        self.recorded = threading.Event()
        self.late = ""
        self.was_in_time: bool | None = None

    def content(self, recording: Recording, part: int) -> bytes:
        if recording.id == self.late:
            self.was_in_time = self.recorded.wait(20)
        return super().content(recording, part)


def test_a_run_that_breaks_records_what_is_there_before_it_waits_for_the_rest(
    make_scene: SceneMaker, calm: Ending
) -> None:
    """It may be killed while it waits: a download takes minutes."""
    world = OneLateFile()
    scene = make_scene(world)
    second_batch = {each["conversationId"] for each in calm.batches[1]["requested"]}
    (late, *_) = (key for key in calm.downloads if key[0] in second_batch)
    world.late = str(late[1])

    def written(*arguments: Any) -> None:
        if "INSERT INTO audio_records" in arguments[2]:
            world.recorded.set()

    event.listen(scene.engine, "after_cursor_execute", written)
    hours = Fault("metadata", "rate_limited", times=None, params={"retry_after": 9999})
    scene.simulator.faults.add(hours)
    broken = scene.run()
    assert isinstance(broken.error, RateLimited)
    assert world.was_in_time
    assert late[:2] in {key[:2] for key in broken.state.keys_with("STORED")}
