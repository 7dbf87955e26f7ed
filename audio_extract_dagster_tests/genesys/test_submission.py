"""Ordering a batch: sent again only when Genesys surely did not take the order."""

from __future__ import annotations

import pytest

from audio_extract_dagster.errors import TryAgain
from audio_extract_dagster.genesys import (
    BadRequest,
    GenesysClient,
    LocalBudget,
    LoginRefused,
    NotPermitted,
    RateLimited,
    RetryPolicy,
    SubmissionUncertain,
    Unavailable,
)
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.genesys.clients import ClientMaker
from audio_extract_dagster_tests.genesys.scripted_server import (
    RESET,
    Answer,
    ScriptedServer,
    unused_port,
)

BATCHES = "/api/v2/recording/batchrequests"
TAKEN = Answer(200, {"id": "job-1"})


@pytest.mark.parametrize(
    "refusal",
    [
        Answer(429, headers={"Retry-After": "9"}),
        Answer(429),
        Answer(503, headers={"Retry-After": "9"}),
        Answer(401, {"code": "credentials.expired"}),
    ],
)
def test_an_order_that_was_surely_not_taken_is_sent_again(
    client: GenesysClient, server: ScriptedServer, refusal: Answer
) -> None:
    server.script(BATCHES, refusal, TAKEN)

    assert client.submit_batch(["c-1"]) == "job-1"
    assert server.paths().count(BATCHES) == 2


@pytest.mark.parametrize(
    "doubt",
    [
        RESET,
        Answer(200, {"id": "job-1", "padding": "x" * 5000}, fault="truncated"),
        Answer(408),
        Answer(500),
        Answer(501),
        Answer(502, b"<html>"),
        Answer(503),
        Answer(503, headers={"Retry-After": "soon"}),
        Answer(504),
        Answer(200, {}),
        Answer(200, {"id": None}),
        Answer(200, {"id": ""}),
        Answer(200, {"id": 17}),
        Answer(200, b"<html>"),
        Answer(202, b""),
    ],
)
def test_an_order_that_may_have_been_taken_is_never_sent_again(
    client: GenesysClient, server: ScriptedServer, clock: FakeClock, doubt: Answer
) -> None:
    server.script(BATCHES, doubt, TAKEN)

    with pytest.raises(SubmissionUncertain, match="nobody knows") as caught:
        client.submit_batch(["c-1"])

    assert isinstance(caught.value, TryAgain)
    assert server.paths().count(BATCHES) == 1
    assert clock.sleeps == []


def test_silence_leaves_an_order_uncertain(
    make_client: ClientMaker, server: ScriptedServer
) -> None:
    client = make_client(policy=RetryPolicy(read_timeout=0.05))
    server.script(BATCHES, Answer(fault="hangs"))

    with pytest.raises(SubmissionUncertain, match="no answer in time"):
        client.submit_batch(["c-1"])
    assert server.paths().count(BATCHES) == 1


@pytest.mark.parametrize(
    ("status", "error"), [(400, BadRequest), (413, BadRequest), (403, NotPermitted)]
)
def test_a_refused_order_says_why(
    client: GenesysClient, server: ScriptedServer, status: int, error: type[Exception]
) -> None:
    server.script(BATCHES, Answer(status, {"code": "bad.request"}))

    with pytest.raises(error, match=f"status {status}"):
        client.submit_batch(["c-1"])
    assert server.paths().count(BATCHES) == 1


def test_an_order_is_refused_twice_for_its_token(
    client: GenesysClient, server: ScriptedServer
) -> None:
    server.script(BATCHES, Answer(401))

    with pytest.raises(LoginRefused):
        client.submit_batch(["c-1"])
    assert server.paths().count(BATCHES) == 2


def test_an_order_that_is_kept_out_for_hours_is_left_for_later(
    client: GenesysClient, server: ScriptedServer
) -> None:
    server.script(BATCHES, Answer(429, headers={"Retry-After": "7200"}))

    with pytest.raises(RateLimited):
        client.submit_batch(["c-1"])


def test_an_outage_that_lasts_is_no_uncertainty(
    client: GenesysClient, server: ScriptedServer
) -> None:
    server.script(BATCHES, Answer(503, headers={"Retry-After": "5"}))

    with pytest.raises(Unavailable, match="5 tries"):
        client.submit_batch(["c-1"])
    assert server.paths().count(BATCHES) == 5


class ServerStartsDuringTheSecondPause(FakeClock):
    def __init__(self, server: ScriptedServer) -> None:
        super().__init__()
        self._server = server

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if len(self.sleeps) == 2:
            self._server.start()


def test_a_refused_connection_is_tried_again(make_client: ClientMaker) -> None:
    api = ScriptedServer()
    api.script(BATCHES, TAKEN)
    clock = ServerStartsDuringTheSecondPause(api)
    client = make_client(api.url, clock=clock)

    try:
        assert client.submit_batch(["c-1"]) == "job-1"
    finally:
        api.stop()
    assert len(clock.sleeps) == 2
    assert api.paths() == [BATCHES]


def test_a_server_that_is_not_there_took_no_order(make_client: ClientMaker) -> None:
    client = make_client(f"http://127.0.0.1:{unused_port()}")

    with pytest.raises(Unavailable, match="no connection could be made"):
        client.submit_batch(["c-1"])


class BudgetThatCannotBeTold(LocalBudget):
    """As one that is shared, when its database blinks."""

    def back_off(self, seconds: float) -> None:
        raise TryAgain(f"no database for {seconds} s")


def test_the_id_of_a_job_is_not_lost_with_the_word_that_the_limit_is_reached(
    server: ScriptedServer, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    spent = {
        "inin-ratelimit-count": "300",
        "inin-ratelimit-allowed": "300",
        "inin-ratelimit-reset": "43",
    }
    server.script(BATCHES, Answer(200, TAKEN.body, headers=spent))
    budget = BudgetThatCannotBeTold(240, clock)

    with GenesysClient(server.url, server.url, "id", "x", budget=budget, clock=clock) as client:
        assert client.submit_batch(["c-1"]) == "job-1"
    assert "no database for 43.0 s" in caplog.text


def test_an_order_has_a_connection_of_its_own(
    client: GenesysClient, server: ScriptedServer
) -> None:
    """One that the server is just closing would make a reset of something that was never read."""
    server.script(BATCHES, TAKEN)

    client.recording_metadata("c-1")
    client.submit_batch(["c-1"])
    client.recording_metadata("c-1")
    client.submit_batch(["c-1"])

    login, *calls = (request.connection for request in server.received)
    read, order, read_again, order_again = calls
    assert read == read_again
    assert len({login, read, order, order_again}) == 4
