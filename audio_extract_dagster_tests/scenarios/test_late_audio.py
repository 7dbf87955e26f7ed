"""Audio that is not there yet, and calls that do not end: pending with a reason, then final."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from audio_extract_dagster.extraction.retention import expire
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import Conversation, Fault, World
from audio_extract_dagster.simulator.model import Slot
from audio_extract_dagster.storage import FolderStorage
from audio_extract_dagster_tests.scenarios.conftest import SceneMaker
from audio_extract_dagster_tests.scenarios.day import TUESDAY, Scene
from audio_extract_dagster_tests.scenarios.ending import Ending

DAY = timedelta(days=1)
# Six in the morning of Wednesday in Lima, when the schedule ticks.
NEXT_MORNING = datetime(2026, 3, 11, 11, tzinfo=timezone.utc)


def with_reason(ending: Ending, reason: str) -> set[tuple[str, str]]:
    """Conversation and recording id of the records with a reason."""
    return {key[:2] for key, row in ending.state.records.items() if row["reason"] == reason}


def test_uploads_become_files_and_are_asked_for_by_recording_once_a_run(
    scene: Scene, calm: Ending
) -> None:
    first = scene.run()
    late = with_reason(first, "uploading") | with_reason(first, "restoring")
    assert len(late) == 2
    scene.clock.advance(DAY.total_seconds())
    assert scene.run().state == calm.state

    scene.simulator.finish_uploads()
    ending = scene.run()
    assert {key[:2] for key in ending.downloads} == late
    assert late <= {key[:2] for key in ending.state.keys_with("STORED")}


class PartlyLate(World):
    """A world in which a call has one recording that is late and one that is there."""

    def build(self, slot: Slot) -> Conversation:
        call = super().build(slot)
        there = [
            replace(recording, id=f"{recording.id[:-4]}beef", state="AVAILABLE")
            for recording in call.recordings
            if recording.state == "UPLOADING"
        ]
        return replace(call, recordings=(*call.recordings, *there))


def test_late_audio_does_not_bring_back_what_retention_has_taken(make_scene: SceneMaker) -> None:
    scene = make_scene(PartlyLate(seed=7, calls_per_day=40))
    scene.simulator.switches.uploading = "error"  # which tells that there is another one
    first = scene.run()
    late = with_reason(first, "uploading") | with_reason(first, "restoring")
    beside = {key for key in first.state.keys_with("STORED") if key[0] in dict(late)}
    assert len(beside) == 1
    storage, before = FolderStorage(scene.folder), TUESDAY + DAY
    assert list(expire(scene.engine, scene.schema, storage, before, scene.clock))
    scene.simulator.finish_uploads()

    ending = scene.run()

    assert {key[:2] for key in ending.downloads} == late
    assert {key[:2] for key in beside} <= with_reason(ending, "retention")


@pytest.mark.parametrize("uploading", ["nothing", "error"])
def test_uploads_that_the_batch_passes_over_or_tells(
    scene: Scene, calm: Ending, uploading: str
) -> None:
    scene.simulator.switches.set("uploading", uploading)
    assert scene.run_undisturbed().state == calm.state


def test_audio_that_never_comes_is_given_up_after_the_late_audio_days(
    scene: Scene, calm: Ending
) -> None:
    scene.run()
    scene.clock.advance(8 * DAY.total_seconds())
    ending = scene.run()
    assert ending.error is None
    given_up = with_reason(ending, "late_audio_expired")
    assert given_up == with_reason(calm, "uploading") | with_reason(calm, "restoring")

    # It is final: another run asks for the open calls alone.
    scene.simulator.finish_uploads()
    after = scene.run()
    assert with_reason(after, "late_audio_expired") == given_up
    assert after.downloads == {}
    assert after.batches[-1]["requested_count"] == 2


def test_calls_that_stay_open_are_given_up_on_day_70(scene: Scene, calm: Ending) -> None:
    scene.run()
    is_open = with_reason(calm, "call_open")
    assert len(is_open) == 2
    scene.clock.advance(8 * DAY.total_seconds())
    assert with_reason(scene.run(), "call_open") == is_open
    # One of the two is stuck: the platform cleans it up after some sixty days.
    scene.clock.advance(58 * DAY.total_seconds())
    on_day_69 = scene.run()
    still_open = with_reason(on_day_69, "call_open")
    closed = is_open - still_open
    assert len(still_open) == len(closed) == 1
    assert {call for call, _ in closed} <= {k[0] for k in on_day_69.state.keys_with("STORED")}
    scene.clock.advance(2 * DAY.total_seconds())
    on_day_71 = scene.run()
    assert with_reason(on_day_71, "never_closed") == still_open
    assert on_day_71.status is JobStatus.SUCCEEDED


def test_a_recording_that_is_flagged_and_not_listed_has_a_day_to_appear(
    make_scene: SceneMaker, world: World, calm: Ending
) -> None:
    scene = make_scene(world, start=NEXT_MORNING)
    ending = scene.run()
    unlisted = with_reason(ending, "not_listed_yet")
    assert len(unlisted) == 1
    assert ending.status is JobStatus.INCOMPLETE
    scene.clock.advance(2 * DAY.total_seconds())
    after = scene.run()
    assert after.state == calm.state
    assert unlisted <= with_reason(after, "not_recorded")


@pytest.mark.parametrize("metadata_none", ["empty", "not_found"])
@pytest.mark.parametrize("no_recording", ["nothing", "error"])
def test_both_ways_to_say_that_there_is_none(
    scene: Scene, calm: Ending, metadata_none: str, no_recording: str
) -> None:
    scene.simulator.switches.set("metadata_none", metadata_none)
    scene.simulator.switches.set("no_recording", no_recording)
    assert scene.run_undisturbed().state == calm.state


def test_archived_audio_that_the_batch_gives_all_the_same(scene: Scene, calm: Ending) -> None:
    scene.simulator.switches.archived = "file"
    ending = scene.run()
    archived = with_reason(calm, "archived")
    assert archived <= {key[:2] for key in ending.state.keys_with("STORED")}
    others = {key for key in calm.state.records if key[:2] not in archived}
    assert all(ending.state.records[key] == calm.state.records[key] for key in others)


def test_sensitive_audio_that_is_left_out_is_told(scene: Scene, calm: Ending, world: World) -> None:
    sensitive = {
        (call.id, recording.id)
        for call in world.conversations(TUESDAY)
        for recording in call.recordings
        if recording.sensitive
    }
    scene.simulator.switches.sensitive_left_out = True
    ending = scene.run()
    assert with_reason(ending, "not_delivered") == sensitive
    assert ending.status is JobStatus.INCOMPLETE

    scene.simulator.switches.sensitive_left_out = False
    assert scene.run_undisturbed().state == calm.state


def test_metadata_that_nobody_may_read_takes_nothing_from_what_the_batch_gave(
    scene: Scene, calm: Ending
) -> None:
    """A call without metadata loses the recordings it was refused, never those with a link."""
    scene.simulator.switches.missing_permissions = ("metadata",)
    scene.simulator.switches.unasked_results = 1  # so that every call is looked at
    scene.simulator.faults.add(Fault("download", "html", times=None, params={"status": 200}))
    ending = scene.run()
    assert ending.error is None
    assert with_reason(ending, "not_audio") == {k[:2] for k in calm.state.keys_with("STORED")}
    refused = {key[0] for key in calm.state.records} - {
        k[0] for k in calm.state.keys_with("STORED")
    }
    assert {call for call, _ in with_reason(ending, "no_permission")} == refused

    scene.simulator.switches.unasked_results = 0
    scene.simulator.switches.missing_permissions = ()
    after = scene.run_undisturbed()
    assert after.state.keys_with("STORED") == calm.state.keys_with("STORED")
    assert after.state.files == calm.state.files


def test_a_recording_without_a_file_state_stays_open(scene: Scene, calm: Ending) -> None:
    fault = Fault("metadata", "mutate", times=None, params={"path": "*.fileState", "remove": True})
    scene.simulator.faults.add(fault)
    ending = scene.run()
    assert ending.state.keys_with("STORED") == calm.state.keys_with("STORED")
    assert with_reason(ending, "unknown_state")

    assert scene.run_undisturbed().state == calm.state
