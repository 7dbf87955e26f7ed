"""A working folder, a database, a simulator and the settings that name them, for every test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from audio_extract_dagster.composition import engine_of
from audio_extract_dagster.simulator import Simulator, World
from audio_extract_dagster.startup import postgres_settings
from audio_extract_dagster_tests.defs.location import CodeLocation
from audio_extract_dagster_tests.defs.surroundings import (
    bare_environment,
    database_variables,
    genesys_variables,
)
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer, http_gateway
from audio_extract_dagster_tests.postgres import Database


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and an environment without any setting."""
    monkeypatch.chdir(tmp_path)
    bare = bare_environment()
    for name in set(os.environ) - set(bare):
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def clock() -> FakeClock:
    """Six in the morning of Wednesday 11 March 2026, in Lima."""
    return FakeClock()


@pytest.fixture(scope="session")
def world() -> World:
    """Shared: a world never changes. Its first calls go through every story once."""
    return World(seed=7, calls_per_day=40)


@pytest.fixture
def simulator(world: World, clock: FakeClock) -> Iterator[Simulator]:
    """Genesys Cloud, on the clock of the test."""
    with Simulator(world, clock=clock) as running:
        # The budget is kept by the clock of PostgreSQL, which does not jump.
        running.switches.rate_limit = 1_000_000
        yield running


@pytest.fixture
def configured(
    working_folder: Path, database: Database, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Every required setting, by environment variables."""
    for name, value in {
        **database_variables(database),
        **genesys_variables(simulator.url),
        "GENESYS_REQUESTS_PER_MINUTE": "1000000",
    }.items():
        monkeypatch.setenv(name, value)
    engine = engine_of(postgres_settings())
    yield
    engine.dispose()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Dagster's own memory of runs, gone with the test."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def location(configured: None, clock: FakeClock, instance: dg.DagsterInstance) -> CodeLocation:
    """The code location, ready to run days."""
    return CodeLocation(clock, instance)


@pytest.fixture
def gateway(configured: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpGatewayServer]:
    """The contact centre's mail gateway."""
    with http_gateway() as running:
        monkeypatch.setenv("NOTIFY_URL", running.url)
        monkeypatch.setenv("EMAILS", "ana@example.com, luis@example.com")
        yield running
