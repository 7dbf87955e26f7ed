"""The one request that cannot be repeated: what was ordered is never lost and rarely paid twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audio_extract_dagster.genesys import BadRequest, RateLimited, SubmissionUncertain
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import Fault, World
from audio_extract_dagster_tests.scenarios.day import LIMITS, TUESDAY, Scene
from audio_extract_dagster_tests.scenarios.ending import Ending


def statuses(ending: Ending) -> list[tuple[str, str | None]]:
    """Status and error of each batch, in order."""
    return [(batch["status"], batch["error"]) for batch in ending.batches]


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
    assert statuses(ending)[0] == ("FAILED", "reply_lost")
    assert statuses(ending)[1:] == [("COMPLETED", None)] * len(calm.batches)
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
    assert statuses(ending) == statuses(calm)


def test_replies_that_are_always_lost_end_the_run_soon(scene: Scene, calm: Ending) -> None:
    scene.simulator.faults.add(Fault("batch_submit", "reset_after", times=None))
    ending = scene.run()
    assert isinstance(ending.error, SubmissionUncertain)
    assert ending.status is JobStatus.FAILED
    assert ending.state.records == {}
    # Five, and five again in the second chance of the step.
    assert statuses(ending) == [("FAILED", "reply_lost")] * 10
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
    assert statuses(ending) == [("SUBMITTED", None), ("FAILED", "not_taken")]

    after = scene.run()
    assert after.state == calm.state
    assert statuses(after)[:2] == [("COMPLETED", None), ("FAILED", "not_taken")]
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
    others = {key: row for key, row in calm.state.records.items() if key[0] != victim}
    found = {key: row for key, row in ending.state.records.items() if key[0] != ghost}
    assert found == others
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
    assert {status for status, _ in statuses(ending)} == {"FAILED"}

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
        scene.simulator.faults.add(
            Fault(operation, "status", times=None, match=refused, params={"status": status})
        )
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
    for call in refused:
        fault = Fault("batch_submit", "status", times=None, match=call, params={"status": 400})
        scene.simulator.faults.add(fault)
    ending = scene.run()
    assert ending.error is None
    failed = {key[0] for key in ending.state.keys_with("FAILED")}
    assert failed == set(refused)
    others = {key for key in calm.state.keys_with("STORED") if key[0] not in refused}
    assert ending.state.keys_with("STORED") == others
    assert scene.run_undisturbed().state.files == calm.state.files


def test_metadata_that_is_refused_for_one_call_costs_that_call_alone(
    scene: Scene, calm: Ending
) -> None:
    key = min(k for k, row in calm.state.records.items() if row["reason"] == "not_recorded")
    fault = Fault("metadata", "status", times=None, match=key[0], params={"status": 400})
    scene.simulator.faults.add(fault)
    ending = scene.run()
    assert ending.error is None
    assert ending.state.records[key]["reason"] == "metadata_unreadable"
    assert ending.state.keys_with("STORED") == calm.state.keys_with("STORED")
    assert scene.run_undisturbed().state == calm.state


def test_three_whose_metadata_is_refused_do_not_stand_for_the_others(
    scene: Scene, calm: Ending, world: World
) -> None:
    missing = {key[0] for key in calm.state.keys_with("MISSING")}
    refused = [call.id for call in world.conversations(TUESDAY) if call.id in missing][:3]
    for call in refused:
        fault = Fault("metadata", "status", times=None, match=call, params={"status": 400})
        scene.simulator.faults.add(fault)
    ending = scene.run()
    others = {key: row for key, row in calm.state.records.items() if key[0] not in refused}
    found = {key: row for key, row in ending.state.records.items() if key[0] not in refused}
    assert found == others


def test_three_without_metadata_leave_the_others_to_the_next_run(
    scene: Scene, calm: Ending, world: World
) -> None:
    missing = {key[0] for key in calm.state.keys_with("MISSING")}
    silent = [call.id for call in world.conversations(TUESDAY) if call.id in missing][:3]
    for call in silent:
        fault = Fault("metadata", "status", times=None, match=call, params={"status": 500})
        scene.simulator.faults.add(fault)
    first = scene.run()
    assert {key[0] for key in first.state.keys_with("FAILED")} == set(silent)
    second = scene.run()
    assert {key[0] for key in second.state.keys_with("FAILED")} == set(silent)
    others = {key: row for key, row in calm.state.records.items() if key[0] not in silent}
    found = {key: row for key, row in second.state.records.items() if key[0] not in silent}
    assert found == others
    assert scene.run_undisturbed().state == calm.state


def test_one_batch_that_cannot_be_read_is_asked_for_anew(scene: Scene, calm: Ending) -> None:
    scene.limits = replace(LIMITS, batch_size=5)
    everywhere = Fault("batch_poll", "status", times=None, params={"status": 500})
    scene.simulator.faults.add(everywhere)
    jobs = [batch["genesys_job_id"] for batch in scene.run().batches]
    scene.simulator.faults.clear()
    scene.simulator.switches.batch_seconds = 180  # the others are looked at until they are ready
    scene.simulator.faults.add(replace(everywhere, match=jobs[1]))
    ending = scene.run()
    assert statuses(ending)[:3] == [
        ("COMPLETED", None),
        ("FAILED", "unreadable"),
        ("COMPLETED", None),
    ]
    assert ending.state == calm.state


def test_a_batch_that_can_never_be_read_is_not_waited_for_for_ever(
    scene: Scene, calm: Ending
) -> None:
    scene.simulator.faults.add(Fault("batch_poll", "status", times=None, params={"status": 500}))
    assert scene.run().state.records == {}
    scene.clock.advance(LIMITS.batch_deadline)
    assert scene.run().state.reasons.keys() == {"batch_unfinished"}
    scene.clock.advance(8 * 24 * 3600)
    late = scene.run().state
    still_open = {key for (key,), row in late.conversations.items() if not row["conversation_end"]}
    waiting = {key for key, row in late.records.items() if row["reason"] == "batch_unfinished"}
    assert waiting == {key for key in late.records if key[0] in still_open}
    assert late.reasons.keys() == {"not_delivered", "batch_unfinished"}
    assert scene.run_undisturbed().state.files == calm.state.files


@pytest.mark.parametrize("status", [400, 410])
def test_an_old_batch_that_genesys_tells_nothing_of_is_asked_for_anew(
    scene: Scene, calm: Ending, status: int
) -> None:
    scene.simulator.faults.add(Fault("batch_poll", "status", times=None, params={"status": 500}))
    first = scene.run()
    scene.simulator.faults.clear()
    jobs = [batch["genesys_job_id"] for batch in first.batches]
    assert jobs
    for job in jobs:
        scene.simulator.faults.add(
            Fault("batch_poll", "status", times=None, match=job, params={"status": status})
        )
    ending = scene.run()
    assert ending.state == calm.state
    assert statuses(ending)[: len(jobs)] == [("FAILED", "job_gone")] * len(jobs)
