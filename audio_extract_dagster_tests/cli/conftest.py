"""A working folder with a database, a simulated Genesys Cloud and a mail gateway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from audio_extract_dagster.simulator import Simulator, World
from audio_extract_dagster_tests.cli.command_line import CommandLine
from audio_extract_dagster_tests.defs.surroundings import (
    bare_environment,
    database_variables,
    genesys_variables,
)
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer, http_gateway
from audio_extract_dagster_tests.postgres import Database

# Commands wait by the real clock, so the simulator and the pauses are quick.
QUICK = {"GENESYS_POLL_SECONDS": "0.05", "GENESYS_REQUESTS_PER_MINUTE": "60000"}


@pytest.fixture
def nowhere(tmp_path: Path) -> CommandLine:
    """A working folder without any setting."""
    return CommandLine(tmp_path, bare_environment())


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Genesys Cloud, by the real clock: every day before today is over."""
    with Simulator(World(seed=7, calls_per_day=30)) as running:
        running.switches.rate_limit = 1_000_000
        running.switches.batch_seconds = 0.0
        yield running


@pytest.fixture
def gateway() -> Iterator[HttpGatewayServer]:
    """The contact centre's mail gateway."""
    with http_gateway() as running:
        yield running


@pytest.fixture
def terminal(
    tmp_path: Path, database: Database, simulator: Simulator, gateway: HttpGatewayServer
) -> CommandLine:
    """A working folder in which everything is configured."""
    environment = {
        **bare_environment(),
        **database_variables(database),
        **genesys_variables(simulator.url),
        **QUICK,
        "NOTIFY_URL": gateway.url,
        "EMAILS": "operations@example.com",
    }
    return CommandLine(tmp_path, environment)
