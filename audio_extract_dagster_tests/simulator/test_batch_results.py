"""What a finished batch has for each kind of recording and conversation."""

from __future__ import annotations

from collections import Counter

import pytest

from audio_extract_dagster.simulator import Conversation, Simulator
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.simulator.api import BATCHES, Api, in_state, plain, result


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
