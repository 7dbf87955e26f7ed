"""Switches and the control paths: the simulator while it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from hashlib import sha256

import pytest
import requests

from audio_extract_dagster.simulator import (
    Conversation,
    Fault,
    InvalidSwitch,
    Simulator,
    Switches,
    World,
    parse_switch,
    serve,
)
from audio_extract_dagster_tests.simulator.api import Api


@pytest.fixture
def control(simulator: Simulator) -> Iterator[Api]:
    """Without a token: control paths need none."""
    client = Api(simulator.url)
    yield client
    client.session.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate_limit=10", ("rate_limit", 10)),
        ("batch_seconds = 0.5", ("batch_seconds", 0.5)),
        ("batch_completes=false", ("batch_completes", False)),
        ("batch_polls=null", ("batch_polls", None)),
        ("batch_polls=3", ("batch_polls", 3)),
        ("archived=file", ("archived", "file")),
        ("missing_permissions=metadata, queues", ("missing_permissions", ("metadata", "queues"))),
        ("missing_permissions=", ("missing_permissions", ())),
    ],
)
def test_a_switch_on_the_command_line(text: str, expected: tuple[str, object]) -> None:
    assert parse_switch(text) == expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("rate_limit", "name=value"),
        ("speed=3", "has no switch 'speed'; it has: token_seconds"),
        ("rate_limit=many", "switch 'rate_limit': Expected `int"),
        ("archived=perhaps", "switch 'archived'"),
    ],
)
def test_a_wrong_switch_tells_what_is_right(text: str, part: str) -> None:
    with pytest.raises(InvalidSwitch, match=re.escape(part)):
        parse_switch(text)


def test_all_or_nothing() -> None:
    switches = Switches()
    with pytest.raises(InvalidSwitch):
        switches.update({"rate_limit": 5, "batch_seconds": "soon"})
    assert switches == Switches()


def test_switches_over_http(simulator: Simulator, control: Api) -> None:
    shown = control.get("/simulator/switches").json()
    assert shown.keys() == {field.name for field in fields(Switches)}
    changed = control.session.patch(
        f"{control.url}/simulator/switches", json={"rate_limit": 9, "link_seconds": 3}
    )
    assert changed.json()["rate_limit"] == simulator.switches.rate_limit == 9
    assert simulator.switches.link_seconds == 3
    refused = control.session.patch(f"{control.url}/simulator/switches", json={"speed": 9})
    assert (refused.status_code, "speed" in refused.json()["message"]) == (400, True)


def test_faults_over_http(simulator: Simulator, control: Api, api: Api) -> None:
    asked = {"operation": "tokens_me", "kind": "html", "times": 2, "params": {"status": 502}}
    assert control.post("/simulator/faults", asked).status_code == 201
    assert api.get("/api/v2/tokens/me").status_code == 502
    assert control.session.delete(f"{control.url}/simulator/faults").status_code == 204
    assert api.get("/api/v2/tokens/me").status_code == 200
    for wrong in ({"operation": "lunch", "kind": "html"}, {"kind": "html"}, asked | {"when": 3}):
        assert control.post("/simulator/faults", wrong).status_code == 400


def test_counters_over_http(simulator: Simulator, control: Api, api: Api) -> None:
    api.query()
    assert simulator.counters["details_query"] == 1
    assert simulator.counters["metadata"] == 0
    shown = control.get("/simulator/counters").json()
    assert shown == {"operations": {"token": 1, "details_query": 1}, "downloads": []}
    control.session.delete(f"{control.url}/simulator/counters")
    assert simulator.counters.operations == {}


def test_tokens_and_uploads_over_http(control: Api, api: Api) -> None:
    assert control.post("/simulator/revoke-tokens", {}).json() == {"revoked": 1}
    assert api.get("/api/v2/tokens/me").status_code == 401
    assert control.post("/simulator/finish-uploads", {}).status_code == 204


def test_the_truth_over_http(control: Api, world: World, truth: list[Conversation]) -> None:
    shown = control.get("/simulator/world", params={"day": "2026-03-10"}).json()["conversations"]
    assert [each["id"] for each in shown] == [each.id for each in truth]
    assert [each["hasAgent"] for each in shown] == [each.has_agent for each in truth]
    assert "sha256" not in str(shown)
    with_files = control.get(
        "/simulator/world", params={"day": "2026-03-10", "checksums": "true"}
    ).json()["conversations"]
    for told, real in zip(with_files, truth, strict=True):
        for recording, fact in zip(told["recordings"], real.recordings, strict=True):
            assert recording["state"] == fact.state
            assert recording["sha256"] == [
                sha256(world.content(fact, part)).hexdigest() for part in range(fact.parts)
            ]
    assert control.get("/simulator/world", params={"day": "today"}).status_code == 400


def test_faults_do_not_touch_the_control_paths(simulator: Simulator, control: Api) -> None:
    simulator.faults.add(Fault("any", "reset_before", times=None))
    assert control.get("/simulator/switches").status_code == 200
    assert simulator.counters.operations == {}


def test_serve_puts_the_parts_together() -> None:
    simulator = serve(
        seed="abc",
        calls_per_day=20,
        client_id="me",
        client_secret="mine",
        switches=["rate_limit=7", "archived=file"],
    )
    with simulator:
        assert simulator.switches == Switches(rate_limit=7, archived="file")
        assert Api(simulator.url, "me", "mine").log_in().get("/api/v2/tokens/me").status_code == 200
        assert requests.post(f"{simulator.url}/oauth/token", auth=("x", "y")).status_code == 400
