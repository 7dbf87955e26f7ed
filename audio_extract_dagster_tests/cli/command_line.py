"""The command `audio-extract` as a terminal runs it: a process of its own in a working folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
        )


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
