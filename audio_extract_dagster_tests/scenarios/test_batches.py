"""Batches that never end, forget, or say strange things."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import Fault
from audio_extract_dagster_tests.scenarios.day import LIMITS, Scene
from audio_extract_dagster_tests.scenarios.ending import Ending


@pytest.mark.parametrize("status_field", [True, False])
@pytest.mark.parametrize("rises", [True, False])
def test_results_that_come_little_by_little(
    scene: Scene, calm: Ending, status_field: bool, rises: bool
) -> None:
    """Without `status` the counts decide, and they may go on rising."""
    scene.simulator.switches.batch_seconds = 180
    scene.simulator.switches.batch_status_field = status_field
    scene.simulator.switches.batch_expected_rises = rises
    ending = scene.run()
    assert ending.error is None
    assert set(ending.downloads.values()) == {1}
    assert ending.state == calm.state
    assert ending.requests["batch_poll"] <= 8 * len(ending.batches)


def test_shuffled_results(scene: Scene, calm: Ending) -> None:
    scene.simulator.switches.batch_shuffles = True
    ending = scene.run()
    assert ending.state.keys_with("STORED") == calm.state.keys_with("STORED")
    assert Counter(ending.state.files.values()) == Counter(calm.state.files.values())


def test_batches_that_give_all_but_their_last_result_and_never_end(
    scene: Scene, calm: Ending
) -> None:
    """One call per batch: what it gives first is kept, what it never gives stays open."""
    scene.limits = replace(LIMITS, batch_size=1, batches_in_flight=40, batch_deadline=20)
    scene.simulator.switches.batch_completes = False
    ending = scene.run()
    assert ending.error is None
    assert ending.status is JobStatus.INCOMPLETE
    lost = calm.state.keys_with("STORED") - ending.state.keys_with("STORED")
    told = {key[:2] for key, row in ending.state.records.items() if row["status"] == "PENDING"}
    assert ending.state.keys_with("STORED")
    assert {key[:2] for key in lost if key[2] == 0} <= told
    assert "batch_unfinished" in ending.state.reasons
    assert {batch["error"] for batch in ending.batches} == {"deadline"}
    # The deadline twice: the calls are asked for once more in the same run.
    assert ending.requests["batch_submit"] <= 2 * len(calm.state.agent_calls)

    scene.simulator.switches.batch_completes = True
    after = scene.run().state
    # Of a recording in parts nobody can tell that the batch that broke off kept one back.
    in_parts = {key[:2] for key in calm.state.records if key[2] > 0}
    whole = {key for key in calm.state.records if key[:2] not in in_parts}
    assert all(after.records[key] == calm.state.records[key] for key in whole)


def test_batches_that_never_give_anything(scene: Scene, calm: Ending) -> None:
    scene.simulator.switches.batch_seconds = 1e9
    ending = scene.run()
    assert ending.error is None
    assert ending.status is JobStatus.INCOMPLETE
    pending = {key for key, row in ending.state.records.items() if row["status"] == "PENDING"}
    recordings = {key[:2] for key in calm.state.keys_with("STORED")}
    assert {key[:2] for key in pending} >= recordings
    assert ending.requests["batch_submit"] == 2 * len(calm.batches)
    assert ending.requests["metadata"] <= len(calm.state.agent_calls)

    scene.simulator.switches.batch_seconds = 1
    assert scene.run_undisturbed().state == calm.state


@pytest.mark.parametrize("status_field", [True, False])
def test_batches_of_nothing_that_stay_at_nothing(
    scene: Scene, calm: Ending, status_field: bool
) -> None:
    """Two calls per batch: where both have no recording, it sits at 0 of 0 for ever."""
    scene.limits = replace(LIMITS, batch_size=2, batches_in_flight=40, batch_deadline=60)
    scene.simulator.switches.empty_batch = "never"
    scene.simulator.switches.batch_status_field = status_field
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
    assert "deadline" in {batch["error"] for batch in ending.batches}


def test_results_without_link_or_error_and_results_nobody_asked_for(
    scene: Scene, calm: Ending
) -> None:
    scene.simulator.switches.bare_results = 3
    scene.simulator.switches.unasked_results = 3
    ending = scene.run()
    assert ending.error is None
    assert ending.state.files.items() <= calm.state.files.items()
    lost = calm.state.keys_with("STORED") - ending.state.keys_with("STORED")
    told = {ending.state.records[call, recording, 0]["reason"] for call, recording, _ in lost}
    assert told == {"not_delivered"}
    assert ending.counts.ignored >= 3

    scene.simulator.switches.bare_results = scene.simulator.switches.unasked_results = 0
    assert scene.run_undisturbed().state == calm.state


def test_results_that_are_withheld_without_a_word(scene: Scene, calm: Ending) -> None:
    """Neither given nor counted: only the metadata tell that there are recordings."""
    scene.simulator.switches.withheld_every = 1
    ending = scene.run()
    assert ending.error is None
    assert ending.status is JobStatus.FAILED
    assert ending.state.files == {}
    told = {key[:2] for key in ending.state.keys_with("FAILED")}
    assert told == {key[:2] for key in calm.state.keys_with("STORED")}

    scene.simulator.switches.withheld_every = 0
    assert scene.run_undisturbed().state == calm.state


def test_a_result_of_another_conversation_is_missed_where_it_belongs(
    scene: Scene, calm: Ending
) -> None:
    """A call with two recordings gets one of them: the batch is a result short."""
    by_call = Counter(key[0] for key in calm.state.keys_with("STORED") if key[2] == 0)
    victim = min(call for call, recordings in by_call.items() if recordings == 2)

    def astray(answer: dict[str, Any]) -> object:
        for result in answer.get("results") or ():
            if result["conversationId"] == victim:
                result["conversationId"] = "00000000-0000-4000-8000-00000000dead"
                return answer
        return answer

    scene.simulator.faults.add(
        Fault("batch_poll", "mutate", times=len(calm.batches), change=astray)
    )
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state


@pytest.mark.parametrize("path", ["results.0", "results.1", "results"])
def test_a_result_that_is_counted_and_not_given_is_missed(
    scene: Scene, calm: Ending, path: str
) -> None:
    fault = Fault("batch_poll", "mutate", times=2, params={"path": path, "remove": True})
    scene.simulator.faults.add(fault)
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state


def test_an_expected_count_that_fits_nowhere(scene: Scene, calm: Ending) -> None:
    def absurd(answer: dict[str, Any]) -> object:
        counts = {"expectedResultCount": 10**14, "resultCount": 3 * 10**9, "errorCount": -4}
        return answer | counts

    scene.simulator.faults.add(Fault("batch_poll", "mutate", times=None, change=absurd))
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state


def test_a_screen_in_the_clothes_of_audio_is_not_stored(scene: Scene, calm: Ending) -> None:
    """Its content type is left out, so that only its bytes and the metadata tell what it is."""
    fault = Fault(
        "batch_poll", "mutate", times=None, params={"path": "results.*.contentType", "remove": True}
    )
    scene.simulator.faults.add(fault)
    ending = scene.run()
    assert ending.error is None
    assert ending.state.files == calm.state.files

    assert scene.run_undisturbed().state.keys_with("STORED") == calm.state.keys_with("STORED")
