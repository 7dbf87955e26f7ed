"""What a benchmark runs in: a throw-away PostgreSQL, helpers in their own processes, settings."""

# ruff: noqa: S603 - the commands are this package's own
from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from audio_extract_dagster_tests.defs.surroundings import (
    bare_environment,
    database_variables,
    genesys_variables,
)
from audio_extract_dagster_tests.postgres import OPTIONS, Database, Server, running_server


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with TemporaryDirectory(prefix="benchmark-") as path:
        yield Path(path)


def put_away(path: Path) -> None:
    """Free the name of a folder, if it is there, and the room of its files.

    The files stay, empty, until the benchmark ends: before ext4 gives a new file its inode, it goes
    through all that were deleted within the last minutes, at the cost of whoever comes next.
    """
    if not path.exists():
        return
    spent = Path(mkdtemp(prefix=f"{path.name}-", dir=path.parent))
    for file in path.replace(spent).rglob("*"):
        if file.is_file():
            os.truncate(file, 0)


@contextmanager
def server() -> Iterator[Server]:
    """A PostgreSQL that looks after its statistics."""
    options = {**OPTIONS, "autovacuum": "on"}
    with folder() as path, running_server(path / "postgres", options) as running:
        yield running


@contextmanager
def database() -> Iterator[Database]:
    """An empty database with the project's schema, on a server of its own."""
    with server() as running, running.database() as made:
        yield made


@contextmanager
def helper(module: str, *arguments: str) -> Iterator[str]:
    """A server of this package in a process of its own; gives the URL that it prints first."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    # Leaving the block closes the helper's standard input, which ends it, and waits.
    with process:
        yield process.stdout.readline().strip() if process.stdout else ""
        process.communicate()


def variables(database: Database, genesys_url: str, home: Path) -> Mapping[str, str]:
    """The environment of a run: nothing is waited for, and everything lies in `home`."""
    return {
        **bare_environment(),
        **database_variables(database),
        **genesys_variables(genesys_url),
        "GENESYS_REQUESTS_PER_MINUTE": "1000000",
        "GENESYS_POLL_SECONDS": "0.05",
        "AUDIO_STORAGE_URI": str(home / "audio"),
        "DAGSTER_HOME": str(home / "dagster"),
    }


def enter(environment: Mapping[str, str]) -> None:
    """Make `environment` that of this process, which is the benchmark's own."""
    os.environ.clear()
    os.environ.update(environment)


def psql(database: Database, statement: str) -> None:
    """Run one statement, or one of psql's own commands, with PostgreSQL's command-line client."""
    settings = database.settings
    login = ["-h", settings.host, "-p", str(settings.port), "-U", settings.user]
    options = {"PGPASSWORD": settings.password, "PGOPTIONS": f"-c search_path={settings.schema}"}
    subprocess.run(
        ["psql", "-qX", *login, "-d", settings.database, "-c", statement],  # noqa: S607
        env={**os.environ, **options},
        check=True,
    )
