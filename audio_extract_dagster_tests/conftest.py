"""Fixtures for all tests. PostgreSQL starts when the first test asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
from sqlalchemy import Engine

from audio_extract_dagster_tests.postgres import (
    SMALL,
    Database,
    Server,
    running_server,
    scratch_folder,
)

# Deadlines measure the machine, not the code.
hypothesis.settings.register_profile("project", deadline=None)
hypothesis.settings.load_profile("project")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One server for the session, or for each worker of pytest-xdist."""
    with scratch_folder() as folder, running_server(folder, SMALL) as server:
        yield server


@pytest.fixture
def database(postgres_server: Server) -> Iterator[Database]:
    """A fresh database with the project's schema, and how to connect to it."""
    with postgres_server.database() as database:
        yield database


@pytest.fixture
def engine(database: Database) -> Engine:
    """An engine on `database`."""
    return database.engine
