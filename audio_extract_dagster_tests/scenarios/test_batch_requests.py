"""The one request that cannot be repeated: what was ordered is never lost and rarely paid twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audio_extract_dagster.genesys import BadRequest, RateLimited, SubmissionUncertain
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import Fault, World
from audio_extract_dagster_tests.scenarios.day import LIMITS, TUESDAY, Scene
from audio_extract_dagster_tests.scenarios.ending import Ending


@pytest.mark.parametrize(
    ("kind", "params", "acts"),
    [
        ("reset_before", {}, False),
        ("reset_after", {}, True),
        ("garbage", {}, True),
        ("empty_body", {}, True),
        ("truncate", {}, True),
        ("html", {"status": 200}, False),
        ("html", {"status": 502}, False),
        ("status", {"status": 500}, False),
        ("status", {"status": 504, "body": ""}, True),
        ("status", {"status": 408}, False),
        ("mutate", {"path": "id", "value": None}, True),
        ("mutate", {"path": "id", "value": ["no", "text"]}, True),
    ],
)
def test_a_lost_reply_costs_at_most_one_batch(
    scene: Scene, calm: Ending, kind: str, params: dict[str, object], acts: bool
) -> None:
    scene.simulator.faults.add(Fault("batch_submit", kind, params=params, acts=acts))
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
    assert ending.api_requests == calm.api_requests + 1
    assert ending.batch_ends[0] == ("FAILED", "reply_lost")
    assert ending.batch_ends[1:] == [("COMPLETED", None)] * len(calm.batches)
    assert len(scene.simulator.log) == len(calm.batches) + acts
    assert set(ending.downloads.values()) == {1}


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("rate_limited", {"retry_after": 30}),
        ("rate_limited", {"retry_after": None}),
        ("status", {"status": 503, "headers": {"Retry-After": 5}}),
    ],
)
def test_a_refusal_at_the_door_is_repeated_as_it_is(
    scene: Scene, calm: Ending, kind: str, params: dict[str, object]
) -> None:
    scene.simulator.faults.add(Fault("batch_submit", kind, params=params, times=3))
    ending = scene.run()
    assert ending.state == calm.state
    assert ending.api_requests == calm.api_requests + 3
    assert ending.batch_ends == calm.batch_ends


def test_replies_that_are_always_lost_end_the_run_soon(scene: Scene, calm: Ending) -> None:
    scene.simulator.faults.add(Fault("batch_submit", "reset_after", times=None))
    ending = scene.run()
    assert isinstance(ending.error, SubmissionUncertain)
    assert ending.status is JobStatus.FAILED
    assert ending.state.records == {}
    # Five, and five again in the second chance of the step.
    assert ending.batch_ends == [("FAILED", "reply_lost")] * 10
    assert ending.requests["batch_submit"] == len(scene.simulator.log) == 10

    after = scene.run_undisturbed()
    assert after.state == calm.state
    assert after.api_requests == calm.api_requests


@pytest.mark.parametrize(
    ("status", "error"), [(500, SubmissionUncertain), (400, BadRequest)], ids=str
)
def test_what_is_under_way_is_brought_home_before_a_run_gives_up(
    scene: Scene, calm: Ending, status: int, error: type[Exception]
) -> None:
    scene.limits = replace(LIMITS, batch_size=5)
    fault = Fault("batch_submit", "status", after=1, times=None, params={"status": status})
    scene.simulator.faults.add(fault)
    ending = scene.run()
    assert isinstance(ending.error, error)
    taken = ending.batches[0]
    assert taken["status"] == "COMPLETED"
    asked_for = {item["conversationId"] for item in taken["requested"]}
    stored = {key for key in calm.state.keys_with("STORED") if key[0] in asked_for}
    assert stored
    assert ending.state.keys_with("STORED") >= stored
    assert scene.run_undisturbed().state == calm.state


def test_an_hour_of_patience_is_not_waited_for(scene: Scene, calm: Ending) -> None:
    scene.simulator.faults.add(
        Fault("batch_submit", "rate_limited", after=1, params={"retry_after": 3600})
    )
    ending = scene.run()
    assert isinstance(ending.error, RateLimited)
    # Genesys surely did not take the second: its row does not claim that a reply was lost.
    assert ending.batch_ends == [("SUBMITTED", None), ("FAILED", "not_taken")]

    after = scene.run()
    assert after.state == calm.state
    assert after.batch_ends[:2] == [("COMPLETED", None), ("FAILED", "not_taken")]
    assert len(scene.simulator.log) == len(calm.batches)


@pytest.mark.parametrize("unknown", ["error", "bad_request"])
def test_a_call_that_genesys_does_not_know_costs_only_itself(
    scene: Scene, calm: Ending, unknown: str
) -> None:
    scene.simulator.switches.set("unknown_conversation", unknown)
    victim = sorted(key for (key,) in calm.state.agent_calls)[7]
    ghost = "00000000-0000-4000-8000-00000000dead"
    scene.simulator.faults.add(
        Fault(
            "details_query",
            "mutate",
            times=None,
            match='"pageNumber":1',
            change=lambda answer: _renamed(answer, victim, ghost),
        )
    )
    ending = scene.run()
    assert ending.error is None
    assert ending.state.records_but_of(ghost) == calm.state.records_but_of(victim)
    assert ending.state.records[ghost, "", 0]["status"] == "MISSING"
    # Halving 15 calls takes four refusals and four halves that go well.
    assert ending.api_requests <= calm.api_requests + 12


def _renamed(answer: dict[str, list[dict[str, str]]], old: str, new: str) -> object:
    for conversation in answer["conversations"]:
        if conversation["conversationId"] == old:
            conversation["conversationId"] = new
    return answer


def test_a_genesys_that_refuses_every_batch_is_asked_a_few_times(
    scene: Scene, calm: Ending
) -> None:
    fault = Fault("batch_submit", "status", times=None, params={"status": 400})
    scene.simulator.faults.add(fault)
    ending = scene.run()
    assert isinstance(ending.error, BadRequest)
    assert ending.status is JobStatus.FAILED
    # As many as one batch can cause, if each of its calls is minded; and one more.
    assert ending.requests["batch_submit"] == 2 * LIMITS.batch_size
    assert {status for status, _ in ending.batch_ends} == {"FAILED"}

    after = scene.run_undisturbed()
    assert after.error is None
    assert after.state.files == calm.state.files
    assert after.state == calm.state


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_one_call_that_genesys_refuses_everywhere_costs_that_call_alone(
    scene: Scene, calm: Ending, status: int
) -> None:
    refused = min(calm.state.keys_with("STORED"))[0]
    for operation in ("batch_submit", "metadata"):
        scene.refuse(operation, status, refused)
    ending = scene.run()
    assert ending.error is None
    others = {key for key in calm.state.keys_with("STORED") if key[0] != refused}
    assert ending.state.keys_with("STORED") == others
    assert {key[0] for key in ending.state.records} == {key[0] for key in calm.state.records}


@pytest.mark.parametrize("count", [2, 5, 12])
def test_neighbours_that_genesys_refuses_cost_themselves_alone(
    scene: Scene, calm: Ending, world: World, count: int
) -> None:
    stored = {key[0] for key in calm.state.keys_with("STORED")}
    refused = [call.id for call in world.conversations(TUESDAY) if call.id in stored][:count]
    scene.refuse("batch_submit", 400, *refused)
    ending = scene.run()
    assert ending.error is None
    failed = {key[0] for key in ending.state.keys_with("FAILED")}
    assert failed == set(refused)
    others = {key for key in calm.state.keys_with("STORED") if key[0] not in refused}
    assert ending.state.keys_with("STORED") == others
    assert scene.run_undisturbed().state.files == calm.state.files
