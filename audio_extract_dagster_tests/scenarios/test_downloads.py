"""Audio that comes broken, wrong or late: fetched again, asked for again, or told as failed."""

from __future__ import annotations

from typing import Any

import pytest

from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import Fault
from audio_extract_dagster_tests.scenarios.day import Scene
from audio_extract_dagster_tests.scenarios.ending import Ending

BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "cut short, right length": ("truncate", {}),
    "cut in the header": ("truncate", {"keep": 0.0005}),
    "cut short, length agrees": ("shorten", {"keep": 0.4}),
    "zero bytes": ("zero_bytes", {}),
    "an HTML page": ("html", {"status": 200}),
    "noise": ("garbage", {}),
    "500": ("status", {"status": 500}),
    "502 HTML": ("html", {"status": 502}),
    "408": ("status", {"status": 408}),
    "429": ("rate_limited", {"retry_after": 20}),
    "reset before": ("reset_before", {}),
    "reset after": ("reset_after", {}),
}
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "expired, says S3": ("status", {"status": 403, "body": "<Error/>"}),
    "expired, says another": ("status", {"status": 400}),
    "gone": ("status", {"status": 404}),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_body_is_fetched_again(scene: Scene, calm: Ending, fault: str) -> None:
    kind, params = BROKEN[fault]
    scene.simulator.faults.add(Fault("download", kind, times=2, params=params))
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
    assert ending.api_requests == calm.api_requests
    assert ending.requests["download"] == calm.requests["download"] + 2


def test_every_first_fetch_broken(scene: Scene, calm: Ending) -> None:
    fault = Fault("download", "truncate", times=None, probability=0.5)
    scene.simulator.faults.add(fault)
    ending = scene.run()
    assert ending.error is None
    assert scene.run_undisturbed().state == calm.state


@pytest.mark.parametrize("fault", ["an HTML page", "cut short, right length", "reset before"])
def test_what_stays_broken_is_told_as_failed(scene: Scene, calm: Ending, fault: str) -> None:
    kind, params = BROKEN[fault]
    scene.simulator.faults.add(Fault("download", kind, times=None, params=params))
    ending = scene.run()
    assert ending.error is None
    assert ending.status is JobStatus.FAILED
    assert ending.job is not None
    assert "MAX_FAILED_PERCENT" in str(ending.job.error)
    recordings = {key[:2] for key in calm.state.keys_with("STORED")}
    assert {key[:2] for key in ending.state.keys_with("FAILED")} == recordings
    assert ending.state.files == {}
    # Three fetches from a link, and a second batch.
    assert ending.requests["download"] <= 3 * 2 * calm.requests["download"]
    assert ending.requests["batch_submit"] <= 2 * len(calm.batches)

    assert scene.run_undisturbed().state == calm.state


def test_one_file_that_stays_broken_does_not_fail_the_day(scene: Scene, calm: Ending) -> None:
    conversation_id, recording_id, part = min(calm.state.keys_with("STORED"))
    fault = Fault("download", "html", times=None, match=conversation_id, params={"status": 200})
    scene.simulator.faults.add(fault)
    ending = scene.run()
    assert ending.status is JobStatus.INCOMPLETE
    assert ending.state.keys_with("FAILED") == {(conversation_id, recording_id, 0)}
    assert ending.state.keys_with("STORED") == calm.state.keys_with("STORED") - {
        (conversation_id, recording_id, part)
    }

    after = scene.run_undisturbed()
    assert after.state == calm.state
    assert sum(after.downloads.values()) == 1


@pytest.mark.parametrize("fault", REFUSED)
def test_a_link_that_is_refused_once_is_asked_for_anew(
    scene: Scene, calm: Ending, fault: str
) -> None:
    kind, params = REFUSED[fault]
    scene.simulator.faults.add(Fault("download", kind, params=params))
    ending = scene.run()
    assert ending.error is None
    assert ending.state == calm.state
    # A look for fresh links, a batch for the one call, a look at that, and its metadata.
    assert ending.api_requests <= calm.api_requests + 4


@pytest.mark.parametrize("resigned", [True, False])
def test_links_that_die_before_they_are_used(scene: Scene, calm: Ending, resigned: bool) -> None:
    """Each of the first twenty downloads begins so late that the links have died."""
    scene.simulator.switches.link_seconds = 60
    scene.simulator.switches.links_resigned = resigned
    fault = Fault("download", "slow", times=20, params={"seconds": 90})
    scene.simulator.faults.add(fault)
    ending = scene.run()
    assert ending.error is None
    assert scene.run_undisturbed().state == calm.state
    assert ending.api_requests <= calm.api_requests + 12


@pytest.mark.parametrize("resigned", [True, False])
def test_links_that_are_dead_on_arrival_leave_the_day_open(
    scene: Scene, calm: Ending, resigned: bool
) -> None:
    scene.simulator.switches.link_seconds = 0
    scene.simulator.switches.links_resigned = resigned
    ending = scene.run()
    assert ending.error is None
    assert ending.status is JobStatus.INCOMPLETE
    recordings = {key[:2] for key in calm.state.keys_with("STORED")}
    dead = {k[:2] for k, r in ending.state.records.items() if r["reason"] == "link_expired"}
    assert dead == recordings
    assert ending.state.files == {}
    assert ending.requests["batch_submit"] <= 2 * len(calm.batches)
    assert ending.api_requests <= calm.api_requests + 20

    scene.simulator.switches.link_seconds = None
    assert scene.run_undisturbed().state == calm.state


@pytest.mark.parametrize(
    "url",
    [
        "http://audio.example.invalid/unsafe.ogg?X-Amz-Signature=0123456789abcdef",
        "ftp://audio.example.invalid/file",
        "file:///etc/passwd",
        "no link at all",
        "https://[not-a-host/",
        "http://127.0.0.1:1/nobody-listens",
    ],
)
def test_a_link_that_leads_nowhere_costs_one_recording_and_not_the_day(
    scene: Scene, calm: Ending, url: str
) -> None:
    fault = Fault("batch_poll", "mutate", params={"path": "results.0.resultUrl", "value": url})
    scene.simulator.faults.add(fault)
    ending = scene.run()
    assert scene.simulator.faults.struck(fault) == 1
    assert ending.error is None
    assert ending.state == calm.state
    assert ending.api_requests <= calm.api_requests + 4


def test_nothing_half_written_is_left_or_taken_for_audio(scene: Scene, calm: Ending) -> None:
    leftover = scene.folder / "2026/03/10/of-a-dead-run"
    leftover.mkdir(parents=True)
    (leftover / "recording.abcdef.part").write_bytes(b"OggS, and then the power went")
    ending = scene.run()
    assert ending.state == calm.state
