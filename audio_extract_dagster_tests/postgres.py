"""PostgreSQL for the tests: one throw-away server a process, one fresh database a test.

The server is the system's if `postgres` is on the PATH, else the wheel's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, text

from audio_extract_dagster.database.connection import PostgresSettings, open_engine
from audio_extract_dagster.database.migrate import migrate
from audio_extract_dagster.embedded.postgres import EmbeddedPostgres

_TEMPLATE = "migrated"

# Memory that looks like a disk, where there is enough of it. A new database is some hundred files:
# on a disk they take six times as long, and most tests begin with one.
_MEMORY, _ENOUGH_BYTES = Path("/dev/shm"), 2 * 2**30

# The data are gone after the tests: nothing needs to reach the disk.
OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
}


# What lies in memory stays small.
SMALL = {**OPTIONS, "max_wal_size": "128MB"}


@dataclass(frozen=True)
class Database:
    """An empty database with the project's schema, and an engine on it."""

    settings: PostgresSettings
    engine: Engine


class Server:
    """A running server that makes databases."""

    def __init__(self, settings: PostgresSettings) -> None:
        self._admin = open_engine(replace(settings, database="postgres"))
        self._settings = settings
        self._numbers = count(1)
        self._used: list[str] = []
        with self.database("template0") as template:
            migrate(template.engine, template.settings.schema)
            template.engine.dispose()
            self._run(f'ALTER DATABASE "{template.settings.database}" RENAME TO {_TEMPLATE}')

    @contextmanager
    def database(self, template: str = _TEMPLATE) -> Iterator[Database]:
        """A copy of `template`, dropped later; `template0` is empty, without our schema."""
        name = f"test_{next(self._numbers)}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE {template}')
        settings = replace(self._settings, database=name)
        engine = open_engine(settings)
        try:
            yield Database(settings, engine)
        finally:
            engine.dispose()
            self._drop_used()
            self._used.append(name)

    def shut_out(self, database: Database) -> None:
        """End all connections to a database and accept no new one, as if its disk were gone."""
        name = database.settings.database
        self._run(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        self._run(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            f" WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        )

    def _drop_used(self) -> None:
        """Those of earlier tests: PostgreSQL waits 0.1 s for a connection that has just ended."""
        while self._used:
            self._run(f'DROP DATABASE IF EXISTS "{self._used.pop()}" WITH (FORCE)')

    def close(self) -> None:
        self._admin.dispose()

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(statement))


def system_programs() -> Path | None:
    """The folder of the system's PostgreSQL; None to take the wheel's."""
    program = shutil.which("postgres")
    return Path(program).resolve().parent if program else None


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for the data of a server; gone at the end."""
    in_memory = (
        _MEMORY.is_dir()
        and os.access(_MEMORY, os.W_OK)
        and shutil.disk_usage(_MEMORY).free >= _ENOUGH_BYTES
    )
    with TemporaryDirectory(prefix="audio-extract-", dir=_MEMORY if in_memory else None) as folder:
        yield Path(folder)


@contextmanager
def running_server(folder: Path, options: Mapping[str, str] = OPTIONS) -> Iterator[Server]:
    """A server whose data lie in `folder`."""
    postgres = EmbeddedPostgres(folder, bin_folder=system_programs(), options=options)
    with postgres as settings:
        server = Server(settings)
        try:
            yield server
        finally:
            server.close()
