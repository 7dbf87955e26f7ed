"""The command `audio-extract` as a terminal runs it: a process of its own in a working folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audio_extract_dagster.simulator import Simulator, World
from audio_extract_dagster_tests.defs.surroundings import (
    bare_environment,
    database_variables,
    genesys_variables,
)
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer
from audio_extract_dagster_tests.postgres import Database

_TIMEOUT_SECONDS = 180


@dataclass(frozen=True)
class Finished:
    """How a command ended, and what it said."""

    code: int
    output: str
    errors: str


@dataclass(frozen=True)
class CommandLine:
    """A working folder and an environment to run commands in."""

    folder: Path
    environment: Mapping[str, str]
    own_group: bool = False
    """Whether each command is the first of a process group, as in a terminal."""

    def run(self, *arguments: str, **changed: str | None) -> Finished:
        """Run a command to its end. `changed` variables are set, or taken away (None)."""
        process = self.start(*arguments, **changed)
        return finish(process)

    def start(self, *arguments: str, **changed: str | None) -> subprocess.Popen[str]:
        """Start a command and leave it running."""
        variables = {**self.environment, **changed}
        return subprocess.Popen(
            [program(), *arguments],
            cwd=self.folder,
            env={name: value for name, value in variables.items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=self.own_group,
        )


@contextmanager
def quick_simulator() -> Iterator[Simulator]:
    """Genesys Cloud by the real clock, by which commands wait: so it is quick."""
    with Simulator(World(seed=7, calls_per_day=30)) as running:
        running.switches.rate_limit = 1_000_000
        running.switches.batch_seconds = 0.0
        yield running


def configured(
    folder: Path, database: Database, simulator: Simulator, gateway: HttpGatewayServer
) -> CommandLine:
    """A working folder in which everything is set; pauses are short."""
    environment = {
        **bare_environment(),
        **database_variables(database),
        **genesys_variables(simulator.url),
        "GENESYS_POLL_SECONDS": "0.05",
        "GENESYS_REQUESTS_PER_MINUTE": "60000",
        "NOTIFY_URL": gateway.url,
        "EMAILS": "operations@example.com",
    }
    return CommandLine(folder, environment)


def finish(process: subprocess.Popen[str]) -> Finished:
    """Wait for the end of a command; one that does not end is killed and fails the test."""
    with process:
        try:
            output, errors = process.communicate(timeout=_TIMEOUT_SECONDS)
        except BaseException:
            process.kill()
            raise
    return Finished(process.returncode, output, errors)


def program() -> str:
    """The installed script beside the interpreter that runs the tests."""
    found = shutil.which("audio-extract", path=str(Path(sys.executable).parent))
    assert found is not None, "install the project first: pip install --editable ."
    return found
