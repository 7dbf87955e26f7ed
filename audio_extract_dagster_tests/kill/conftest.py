"""One contact centre, one undisturbed day of it, and an experiment to disturb the same day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from audio_extract_dagster.simulator import World
from audio_extract_dagster_tests.kill.experiment import Experiment, contact_centre
from audio_extract_dagster_tests.kill.promises import Aftermath
from audio_extract_dagster_tests.postgres import Database, Server


@pytest.fixture(scope="session")
def world() -> World:
    """Shared: a world never changes."""
    return contact_centre()


@pytest.fixture(scope="session")
def calm(
    world: World, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Aftermath:
    """How the day ends that nobody disturbs."""
    folder = tmp_path_factory.mktemp("calm")
    with (
        postgres_server.database() as database,
        Experiment(world, database, folder) as experiment,
    ):
        return experiment.finish()


@pytest.fixture
def experiment(world: World, database: Database, tmp_path: Path) -> Iterator[Experiment]:
    """The day of `calm`, not yet run."""
    with Experiment(world, database, tmp_path) as experiment:
        yield experiment
