"""`audio-extract simulate`: Genesys Cloud on a port, until it is stopped."""

from __future__ import annotations

import signal
import socket

import pytest
import requests

from audio_extract_dagster_tests.cli.command_line import CommandLine, finish
from audio_extract_dagster_tests.simulator.api import Api


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_one_client_until_it_is_stopped(
    nowhere: CommandLine, number: signal.Signals
) -> None:
    client = ("--client-id", "me", "--client-secret", "s3cret")
    process = nowhere.start("simulate", "--port", "0", "--set", "batch_seconds=0", *client)
    assert process.stdout is not None
    url = process.stdout.readline().split()[4]

    organization = Api(url, "me", "s3cret").log_in().get("/api/v2/organizations/me")
    switches = requests.get(f"{url}/simulator/switches", timeout=10).json()
    refused = requests.post(f"{url}/oauth/token", auth=("me", "wrong"), timeout=10)
    process.send_signal(number)
    finished = finish(process)

    assert organization.json()["name"] == "Simulated contact centre"
    assert switches["batch_seconds"] == 0
    assert refused.status_code in (400, 401)
    assert (finished.code, finished.errors) == (0, "")


def test_a_port_that_is_taken_is_told(nowhere: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        failed = nowhere.run("simulate", "--port", str(port))

    assert failed.code == 1
    assert failed.errors == f"Error: Port {port} cannot be used: Address already in use.\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--set", "no_such_switch=1"), "has no switch 'no_such_switch'"),
        (("--set", "batch_seconds=soon"), "switch 'batch_seconds'"),
        (("--set", "batch_seconds"), "not of the form name=value"),
        (("--replay", "."), "there is no conversation in any *.json"),
        (("--client-id", "me"), "client_id and client_secret"),
    ],
)
def test_what_it_cannot_do_is_refused(
    nowhere: CommandLine, options: tuple[str, ...], told: str
) -> None:
    refused = nowhere.run("simulate", "--port", "0", *options)

    assert refused.code == 2
    assert told in refused.errors
    assert "Traceback" not in refused.errors
