"""Batch download jobs: how they grow and end, and who may see them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from audio_extract_dagster.simulator import Conversation, Fault, Simulator
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.simulator.api import BATCHES, Api, plain, result


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
    assert all(later[: len(sooner)] == sooner for sooner, later in pairwise(shown))


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


@pytest.mark.parametrize("count", [0, 101])
def test_too_few_and_too_many_items(api: Api, count: int) -> None:
    wanted = [{"conversationId": f"c{number}"} for number in range(count)]
    assert api.post(BATCHES, {"batchDownloadRequestList": wanted}).status_code == 400


@pytest.mark.parametrize(
    "body", [{}, {"batchDownloadRequestList": [{}]}, {"batchDownloadRequestList": [3]}]
)
def test_broken_submissions(api: Api, body: dict[str, object]) -> None:
    assert api.post(BATCHES, body).status_code == 400


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
