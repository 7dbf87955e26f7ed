"""Batch download jobs: what is in them, how they grow, who may see them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from audio_extract_dagster.simulator import Conversation, Fault, Simulator
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.simulator.api import BATCHES, Api
from audio_extract_dagster_tests.simulator.conftest import in_state


def result(api: Api, clock: FakeClock, *items: Any) -> dict[str, Any]:
    """The job of these items when its time is over."""
    job = api.submit(*items)
    clock.advance(60)
    return api.poll(job)


def plain(truth: list[Conversation], count: int) -> list[Conversation]:
    """Finished calls with one available recording in one file."""
    return [
        each
        for each in truth
        if each.end_ms
        and each.story == "answered"
        and [(r.state, r.parts, r.sensitive) for r in each.recordings] == [("AVAILABLE", 1, False)]
    ][:count]


def test_all_recordings_of_the_conversations_asked_for(
    api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    calls = [each for each in truth if each.story == "answered" and each.end_ms]
    job = result(api, clock, *[each.id for each in calls])
    assert job["status"] == "Completed"
    assert job["resultCount"] == job["expectedResultCount"] == len(job["results"])
    assert job["errorCount"] == sum("errorMsg" in entry for entry in job["results"])
    expected = Counter(
        (each.id, recording.id)
        for each in calls
        for recording in each.recordings
        for _ in range(recording.parts)
        if recording.state not in ("UPLOADING", "RESTORING")
    )
    found = [(entry["conversationId"], entry["recordingId"]) for entry in job["results"]]
    assert Counter(found) == expected
    assert found != sorted(found, key=list(expected).index)  # not in the order of the request
    for entry in job["results"]:
        assert ("resultUrl" in entry) != ("errorMsg" in entry)
        assert ("contentType" in entry) == ("resultUrl" in entry)


def test_a_job_grows(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    simulator.switches.batch_seconds = 100
    job = api.submit(*[each.id for each in plain(truth, 20)])
    first = api.poll(job)
    assert (first["status"], first["expectedResultCount"], first["resultCount"]) == (
        "InProgress",
        0,
        0,
    )
    assert "results" not in first
    seen = []
    for _ in range(4):
        clock.advance(25)
        seen.append(api.poll(job))
    counts = [view["resultCount"] for view in seen]
    assert counts == sorted(counts)
    assert 0 < counts[0] < counts[-1]
    assert [view["status"] for view in seen] == ["InProgress"] * 3 + ["Completed"]
    shown = [[entry["recordingId"] for entry in view["results"]] for view in seen]
    assert all(
        later[: len(sooner)] == sooner for sooner, later in zip(shown, shown[1:], strict=False)
    )


def test_a_job_that_counts_polls(simulator: Simulator, api: Api, truth: list[Conversation]) -> None:
    simulator.switches.batch_polls = 3
    job = api.submit(*[each.id for each in plain(truth, 9)])
    views = [api.poll(job) for _ in range(3)]
    assert [view["status"] for view in views] == ["InProgress", "InProgress", "Completed"]


def test_the_expected_count_may_rise(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    simulator.switches.update({"batch_seconds": 10, "batch_expected_rises": True})
    job = api.submit(*[each.id for each in plain(truth, 12)])
    expected = []
    for _ in range(5):
        clock.advance(2)
        expected.append(api.poll(job)["expectedResultCount"])
    assert expected == sorted(expected)
    assert expected[0] < expected[-1]


def test_a_job_may_never_complete(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    simulator.switches.batch_completes = False
    job = result(api, clock, *[each.id for each in plain(truth, 5)])
    assert job["status"] == "InProgress"
    assert job["resultCount"] == job["expectedResultCount"] - 1


def test_the_old_shape_has_no_status(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    simulator.switches.batch_status_field = False
    assert "status" not in result(api, clock, plain(truth, 1)[0].id)


@pytest.mark.parametrize(
    ("switch", "status"), [("completed", "Completed"), ("never", "InProgress")]
)
def test_a_batch_of_nothing(
    simulator: Simulator,
    api: Api,
    clock: FakeClock,
    truth: list[Conversation],
    switch: str,
    status: str,
) -> None:
    simulator.switches.set("empty_batch", switch)
    silent = next(each for each in truth if each.story == "abandoned" and not each.recordings)
    job = result(api, clock, silent.id)
    assert (job["status"], job["expectedResultCount"], job["resultCount"]) == (status, 0, 0)


def test_a_conversation_without_recordings_may_be_an_error(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    simulator.switches.no_recording = "error"
    silent = next(each for each in truth if each.story == "abandoned" and not each.recordings)
    (entry,) = result(api, clock, silent.id)["results"]
    assert entry == {
        "conversationId": silent.id,
        "errorMsg": "No recordings found for conversation",
    }


@pytest.mark.parametrize("count", [0, 101])
def test_too_few_and_too_many_items(api: Api, count: int) -> None:
    wanted = [{"conversationId": f"c{number}"} for number in range(count)]
    assert api.post(BATCHES, {"batchDownloadRequestList": wanted}).status_code == 400


@pytest.mark.parametrize(
    "body", [{}, {"batchDownloadRequestList": [{}]}, {"batchDownloadRequestList": [3]}]
)
def test_broken_submissions(api: Api, body: dict[str, object]) -> None:
    assert api.post(BATCHES, body).status_code == 400


def test_unknown_conversations(simulator: Simulator, api: Api, clock: FakeClock) -> None:
    (entry,) = result(api, clock, "nobody")["results"]
    assert entry == {"conversationId": "nobody", "errorMsg": "Conversation not found"}
    simulator.switches.unknown_conversation = "bad_request"
    reply = api.post(BATCHES, {"batchDownloadRequestList": [{"conversationId": "nobody"}]})
    assert reply.status_code == 400


def test_single_recordings_can_be_asked_for(
    api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    call = next(each for each in truth if len(each.recordings) == 3)
    job = result(api, clock, (call.id, call.recordings[1].id), (call.id, "nothing"))
    assert {entry["recordingId"]: "errorMsg" in entry for entry in job["results"]} == {
        call.recordings[1].id: False,
        "nothing": True,
    }


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("DELETED", "Recording is deleted"),
        ("ERROR", "Recording is in error"),
        ("ARCHIVED", "Recording is archived"),
    ],
)
def test_recordings_that_cannot_be_had(
    api: Api, clock: FakeClock, truth: list[Conversation], state: str, error: str
) -> None:
    call = in_state(truth, state)
    (entry,) = result(api, clock, call.id)["results"]
    assert entry["errorMsg"] == error
    assert entry["recordingId"] == call.recordings[0].id


def test_archived_recordings_may_work(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    simulator.switches.archived = "file"
    (entry,) = result(api, clock, in_state(truth, "ARCHIVED").id)["results"]
    assert api.download(entry["resultUrl"]).status_code == 200


@pytest.mark.parametrize("state", ["UPLOADING", "RESTORING"])
def test_late_audio_arrives(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation], state: str
) -> None:
    call = in_state(truth, state)
    assert result(api, clock, call.id)["results"] == []
    simulator.switches.uploading = "error"
    (entry,) = result(api, clock, call.id)["results"]
    assert entry["errorMsg"] == f"Recording is {state.lower()}"
    clock.advance(3600)
    (entry,) = result(api, clock, call.id)["results"]
    assert "resultUrl" in entry


def test_late_audio_arrives_when_told_to(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    simulator.switches.late_audio_seconds = None
    call = in_state(truth, "UPLOADING")
    assert result(api, clock, call.id)["results"] == []
    clock.advance(50_000)
    assert result(api, clock, call.id)["results"] == []
    simulator.finish_uploads()
    assert len(result(api, clock, call.id)["results"]) == 1


def test_sensitive_recordings_may_be_left_out(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    call = next(each for each in truth if any(r.sensitive for r in each.recordings))
    assert len(result(api, clock, call.id)["results"]) == 1
    simulator.switches.sensitive_left_out = True
    assert result(api, clock, call.id)["results"] == []


def test_results_may_be_withheld_bare_or_unasked(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    wanted = [each.id for each in plain(truth, 6)]
    simulator.switches.withheld_every = 3
    assert len(result(api, clock, *wanted)["results"]) == 4
    simulator.switches.update({"withheld_every": 0, "bare_results": 2, "unasked_results": 1})
    entries = result(api, clock, *wanted)["results"]
    assert len(entries) == 7
    assert sum("resultUrl" not in entry and "errorMsg" not in entry for entry in entries) == 2
    (unasked,) = [entry for entry in entries if entry["conversationId"] not in wanted]
    assert api.download(unasked["resultUrl"]).status_code == 200


def test_calls_that_have_not_ended_have_no_recordings_yet(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    stuck = next(each for each in truth if each.story == "stuck" and each.recordings)
    assert result(api, clock, stuck.id)["results"] == []
    clock.advance(61 * 86_400)
    assert len(result(Api(api.url).log_in(), clock, stuck.id)["results"]) == 1
    simulator.switches.open_call_recordings = True
    never = next(each for each in truth if each.story == "open" and each.recordings)
    assert len(result(Api(api.url).log_in(), clock, never.id)["results"]) == 1


@pytest.mark.parametrize(("switch", "status"), [("not_found", 404), ("forbidden", 403)])
def test_another_client_cannot_see_a_job(
    simulator: Simulator, api: Api, truth: list[Conversation], switch: str, status: int
) -> None:
    simulator.switches.set("other_client", switch)
    job = api.submit(plain(truth, 1)[0].id)
    other = Api(simulator.url, "other").log_in()
    assert other.get(f"{BATCHES}/{job}").status_code == status
    again = Api(simulator.url).log_in()  # the same client with a new token
    assert again.get(f"{BATCHES}/{job}").status_code == 200


def test_jobs_are_forgotten_in_the_end(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    simulator.switches.batch_retention_seconds = 3600
    job = api.submit(plain(truth, 1)[0].id)
    clock.advance(3599)
    assert api.get(f"{BATCHES}/{job}").status_code == 200
    clock.advance(1)
    assert api.get(f"{BATCHES}/{job}").status_code == 404
    assert api.get(f"{BATCHES}/made-up").status_code == 404


def test_every_submission_is_logged_even_if_the_answer_was_lost(
    simulator: Simulator, api: Api, truth: list[Conversation]
) -> None:
    one, two = plain(truth, 2)
    job = api.submit(one.id, (two.id, two.recordings[0].id))
    simulator.faults.add(Fault("batch_submit", "status", params={"status": 503}, acts=True))
    wanted = {"batchDownloadRequestList": [{"conversationId": two.id}]}
    assert api.post(BATCHES, wanted).status_code == 503
    assert [entry.items for entry in simulator.log] == [
        ((one.id, None), (two.id, two.recordings[0].id)),
        ((two.id, None),),
    ]
    assert simulator.log[0].job_id == job
    assert simulator.log[1].job_id != job
    assert simulator.counters["batch_submit"] == 2
    assert api.get("/simulator/batches").json()[1]["items"] == [[two.id, None]]
