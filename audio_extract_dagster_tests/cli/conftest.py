"""A working folder with a database, a simulated Genesys Cloud and a mail gateway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from audio_extract_dagster.simulator import Simulator
from audio_extract_dagster_tests.cli.command_line import CommandLine, configured, quick_simulator
from audio_extract_dagster_tests.defs.surroundings import bare_environment
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer, http_gateway
from audio_extract_dagster_tests.postgres import Database


@pytest.fixture
def nowhere(tmp_path: Path) -> CommandLine:
    """A working folder without any setting."""
    return CommandLine(tmp_path, bare_environment())


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Genesys Cloud, by the real clock: every day before today is over."""
    with quick_simulator() as running:
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
    return configured(tmp_path, database, simulator, gateway)
