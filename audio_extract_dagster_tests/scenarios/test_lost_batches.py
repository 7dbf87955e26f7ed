"""Batches that Genesys took and tells nothing of: another client's, forgotten, unreadable."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import Fault
from audio_extract_dagster_tests.scenarios.day import LIMITS, Scene
from audio_extract_dagster_tests.scenarios.ending import Ending


@pytest.mark.parametrize("status", [403, 404])
def test_batches_that_another_client_ordered(scene: Scene, calm: Ending, status: int) -> None:
    """The OAuth client was replaced while batches of a dead run were open."""
    scene.simulator.faults.add(Fault("batch_poll", "rate_limited", params={"retry_after": 9999}))
    broken = scene.run()
    assert {batch["status"] for batch in broken.batches} == {"SUBMITTED"}

    scene.refuse("batch_poll", status, *(batch["genesys_job_id"] for batch in broken.batches))
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
    ordered = len(broken.batches)
    assert ending.batch_ends[:ordered] == [("FAILED", "job_gone")] * ordered


def test_batches_that_may_be_ordered_and_not_read(scene: Scene, calm: Ending) -> None:
    scene.simulator.switches.missing_permissions = ("batch_poll",)
    ending = scene.run()
    assert ending.error is None
    assert ending.status is JobStatus.INCOMPLETE
    assert {batch["error"] for batch in ending.batches} == {"job_gone"}
    recordings = {key[:2] for key in calm.state.keys_with("STORED")}
    assert recordings <= {key[:2] for key in ending.state.keys_with("PENDING")}
    assert ending.requests["batch_submit"] == ending.requests["batch_poll"] <= 2 * len(calm.batches)

    scene.simulator.switches.missing_permissions = ()
    assert scene.run_undisturbed().state == calm.state


def test_batches_that_are_forgotten_before_they_are_read(scene: Scene, calm: Ending) -> None:
    scene.simulator.switches.batch_retention_seconds = 5
    ending = scene.run()
    assert ending.error is None
    assert ending.status in (JobStatus.INCOMPLETE, JobStatus.FAILED)
    assert ending.state.files == {}
    assert ending.requests["batch_submit"] == 2 * len(calm.batches)

    scene.simulator.switches.batch_retention_seconds = None
    assert scene.run_undisturbed().state == calm.state


def test_one_batch_that_cannot_be_read_is_asked_for_anew(scene: Scene, calm: Ending) -> None:
    scene.limits = replace(LIMITS, batch_size=5)
    scene.simulator.faults.add(Fault("batch_poll", "status", times=None, params={"status": 500}))
    jobs = [batch["genesys_job_id"] for batch in scene.run().batches]
    scene.simulator.faults.clear()
    scene.simulator.switches.batch_seconds = 180  # the others are looked at until they are ready
    [unreadable] = scene.refuse("batch_poll", 500, jobs[1])
    ending = scene.run()
    looks, tries_of_a_look = 3, 5
    assert scene.simulator.faults.struck(unreadable) == looks * tries_of_a_look
    assert ending.batch_ends[:3] == [
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
    scene.refuse("batch_poll", status, *jobs)
    ending = scene.run()
    assert ending.state == calm.state
    assert ending.batch_ends[: len(jobs)] == [("FAILED", "job_gone")] * len(jobs)
