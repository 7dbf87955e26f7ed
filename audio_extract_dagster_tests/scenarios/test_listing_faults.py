"""Pages that move, counts that lie, calls that are hard to read: listed, or told as missing."""

from __future__ import annotations

from typing import Any

import pytest

from audio_extract_dagster.database.storable import clean_text
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import Fault, World
from audio_extract_dagster_tests.scenarios.conftest import SceneMaker
from audio_extract_dagster_tests.scenarios.day import Scene, obtainable
from audio_extract_dagster_tests.scenarios.ending import Ending


@pytest.fixture
def small_pages(scene: Scene) -> Scene:
    """Ten conversations to a page, so that a day has several."""
    scene.simulator.switches.served_page_size = 10
    return scene


def without(conversation_id: str) -> Fault:
    """Genesys does not list one of its conversations."""

    def change(answer: Any) -> object:
        listed = answer.get("conversations", ())
        kept = [each for each in listed if each["conversationId"] != conversation_id]
        return {"conversations": kept, "totalHits": answer["totalHits"] - 1}

    return Fault("details_query", "mutate", times=None, change=change)


@pytest.mark.parametrize("anomaly", ["repeat", "skip"])
@pytest.mark.parametrize("passes", [1, 2])
def test_items_that_move_between_pages(
    small_pages: Scene, calm: Ending, anomaly: Any, passes: int
) -> None:
    small_pages.simulator.switches.paging_anomaly = anomaly
    small_pages.simulator.switches.anomaly_passes = passes
    ending = small_pages.run()
    assert ending.error is None
    assert ending.state == calm.state
    assert ending.requests["details_query"] <= (passes + 1) * 8


@pytest.mark.parametrize("empty", ["missing", "null", "list"])
@pytest.mark.parametrize("total", ["zero", "missing"])
def test_the_page_after_the_last(small_pages: Scene, calm: Ending, empty: Any, total: Any) -> None:
    small_pages.simulator.switches.empty_conversations = empty
    small_pages.simulator.switches.empty_total_hits = total
    ending = small_pages.run()
    assert ending.state == calm.state


@pytest.mark.parametrize("drift", [1, -1, 7])
def test_a_total_that_moves_while_it_is_read(small_pages: Scene, calm: Ending, drift: int) -> None:
    small_pages.simulator.switches.total_hits_drift = drift
    ending = small_pages.run()
    assert ending.error is None
    assert ending.state == calm.state


@pytest.mark.parametrize("offset", [1, -1])
def test_a_total_that_never_agrees_is_no_success(
    small_pages: Scene, calm: Ending, offset: int
) -> None:
    small_pages.simulator.switches.total_hits_offset = offset
    ending = small_pages.run()
    assert ending.error is None
    assert ending.status is JobStatus.FAILED
    assert ending.job is not None
    assert "does not add up" in str(ending.job.error)
    # The audio of what was listed is fetched all the same.
    assert ending.state == calm.state
    assert ending.requests["details_query"] <= 3 * 8

    small_pages.simulator.switches.total_hits_offset = 0
    assert small_pages.run().status is calm.status


def test_items_that_never_stay_where_they_are(small_pages: Scene, calm: Ending) -> None:
    """In each pass another one is skipped; together the passes see all of them."""
    small_pages.simulator.switches.paging_anomaly = "skip"
    small_pages.simulator.switches.anomaly_passes = 3
    ending = small_pages.run()
    assert ending.error is None
    lost = calm.state.conversations.keys() - ending.state.conversations.keys()
    assert (ending.status is JobStatus.FAILED) == bool(lost)

    small_pages.simulator.switches.paging_anomaly = "none"
    assert small_pages.run().state == calm.state


def test_more_hits_than_can_be_paged_through(scene: Scene, calm: Ending) -> None:
    """The day is halved until each part has few enough; what crosses a border counts once."""

    def inflated(answer: Any) -> object:
        answer["totalHits"] = 100_001
        return answer

    for _ in range(3):
        scene.simulator.faults.add(Fault("details_query", "mutate", change=inflated))
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
    assert ending.requests["details_query"] <= 3 + 2 * 4


def test_more_hits_than_any_window_can_have_end_the_run_soon(scene: Scene, calm: Ending) -> None:
    scene.simulator.switches.total_hits_offset = 200_000
    ending = scene.run()
    assert ending.status is JobStatus.FAILED
    assert "GENESYS_QUEUE_ID" in str(ending.error)
    assert ending.state.conversations == {}
    assert ending.requests["details_query"] <= 40

    scene.simulator.switches.total_hits_offset = 0
    assert scene.run_undisturbed().state == calm.state


def test_a_page_limit_of_the_platform_itself(scene: Scene) -> None:
    """The platform says 400 beyond its limit, whatever it counted."""
    scene.simulator.switches.paging_limit = 20
    scene.simulator.switches.served_page_size = 10
    ending = scene.run()
    assert ending.status is JobStatus.FAILED
    assert ending.state.conversations == {}
    assert ending.requests["details_query"] <= 4


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("conversations.*.participants.*.sessions.*.metrics", "none today"),
        ("conversations.*.participants.*.sessions.*.segments.*.wrapUpCode", {"id": 7}),
        ("conversations.*.participants.*.sessions.*.ani", None),
        ("conversations.*.participants.*.userId", None),
        ("conversations.*.originatingDirection", "sideways"),
        ("conversations.*.divisionIds", 12),
        ("conversations.*.mediaStatsMinConversationMos", "NaN"),
        ("conversations.*.participants.*.sessions.*.segments.*.conference", "maybe"),
        ("conversations.*.newObject", {"of": ["the", "future"]}),
        ("totalHits", "40"),
    ],
)
def test_odd_values_cost_no_call(scene: Scene, calm: Ending, path: str, value: object) -> None:
    fault = Fault("details_query", "mutate", times=None, params={"path": path, "value": value})
    scene.simulator.faults.add(fault)
    ending = scene.run()
    assert ending.error is None
    assert ending.state.conversations.keys() == calm.state.conversations.keys()
    assert ending.state.agent_calls.keys() == calm.state.agent_calls.keys()
    assert ending.state.records == calm.state.records

    assert scene.run_undisturbed().state == calm.state


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("conversations.3.conversationId", None),
        ("conversations.3.conversationId", ""),
        ("conversations.3.conversationStart", "yesterday"),
        ("conversations.3.participants", None),
        ("conversations.3.participants", "nobody"),
        ("conversations.*.participants.*.sessions", None),
        ("conversations.3", None),
        ("conversations.3", "a text"),
        ("conversations", {"not": "a list"}),
        ("totalHits", None),
    ],
)
def test_what_cannot_be_read_is_listed_again(
    scene: Scene, calm: Ending, path: str, value: object
) -> None:
    fault = Fault("details_query", "mutate", params={"path": path, "value": value})
    scene.simulator.faults.add(fault)
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
    assert ending.status is calm.status


def test_fields_and_values_of_the_future(scene: Scene, calm: Ending) -> None:
    scene.simulator.switches.future_fields = True
    ending = scene.run()
    assert ending.error is None
    assert ending.state.records == calm.state.records


def test_a_call_that_vanished_keeps_its_audio(scene: Scene, calm: Ending) -> None:
    scene.run()
    scene.simulator.faults.add(without(min(calm.state.keys_with("STORED"))[0]))
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
    assert ending.downloads == {}


def test_a_call_that_appears_late_is_fetched_by_the_next_run(scene: Scene, calm: Ending) -> None:
    late = min(calm.state.keys_with("STORED"))[0]
    scene.simulator.faults.add(without(late))
    first = scene.run()
    assert late not in {key for (key,) in first.state.conversations}
    second = scene.run_undisturbed()
    assert second.state == calm.state
    assert {key[0] for key in second.downloads} == {late}


def test_a_day_with_audio_that_is_listed_as_empty(scene: Scene, calm: Ending) -> None:
    scene.run()
    nothing = Fault("details_query", "mutate", times=None, change=lambda _: {"totalHits": 0})
    scene.simulator.faults.add(nothing)
    ending = scene.run()
    assert ending.status is JobStatus.FAILED
    assert "nothing is listed" in str(ending.job and ending.job.error)
    assert (ending.state.records, ending.state.files) == (calm.state.records, calm.state.files)
    assert scene.run_undisturbed().state == calm.state


def test_ids_that_attack_file_names(make_scene: SceneMaker) -> None:
    """NUL becomes U+FFFD in the rows; a call whose own id has one cannot be asked for."""
    world = World(seed=3, calls_per_day=80, hostile_ids=True)
    scene = make_scene(world)
    ending = scene.run()
    assert ending.error is None
    truth = {
        (call.id, clean_text(recording.id))
        for call, recording in obtainable(world)
        if "\0" not in call.id
    }
    stored = {key[:2] for key in ending.state.keys_with("STORED")}
    assert stored == truth
    assert any("../" in conversation_id for conversation_id, _ in stored)
    assert any(len(conversation_id) > 255 for conversation_id, _ in stored)
    assert any(len(recording_id) > 255 for _, recording_id in stored)
    assert any("\ufffd" in recording_id for _, recording_id in stored)
    files = [path for path in scene.folder.parent.rglob("*") if path.is_file()]
    assert all(path.is_relative_to(scene.folder / "2026/03/10") for path in files)
    assert set(ending.downloads.values()) == {1}

    second = scene.run()
    assert second.downloads == {}
    assert second.state == ending.state
