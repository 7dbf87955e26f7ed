"""A run in a process of its own, that can be killed with everything it started."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sysconfig
import threading
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from multiprocessing import connection
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from audio_extract_dagster_tests.kill import victim

if TYPE_CHECKING:  # Windows has none
    from multiprocessing.context import ForkServerContext

# A start looks at every process of this kind, and so does a wait; neither is safe for threads.
_TURN = threading.Lock()


@cache
def _fork_server() -> ForkServerContext:
    """Where everything is imported once, so that a process starts with it in place."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([victim.__name__, "psycopg2"])
    return context


class Process(Protocol):
    """A run under way."""

    def wait(self, seconds: float) -> int | None:
        """The exit code, negative for a signal; None if it still runs after so many seconds."""

    def kill(self) -> None:
        """SIGKILL to the whole tree: no handler, no `finally`, no flush. Fine if it has ended."""


Launch = Callable[[Mapping[str, str], date], Process]


class Forked:
    """The run without Dagster; it has no children."""

    def __init__(self, environment: Mapping[str, str], day: date) -> None:
        arguments = (dict(environment), day)
        self._process = _fork_server().Process(target=victim.extract, args=arguments)
        with _TURN:
            self._process.start()

    def wait(self, seconds: float) -> int | None:
        connection.wait([self._process.sentinel], seconds)
        with _TURN:
            return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()


class Command:
    """`audio-extract run`, in a process group of its own and in the folder of `DAGSTER_HOME`."""

    def __init__(self, environment: Mapping[str, str], day: date) -> None:
        program = Path(sysconfig.get_path("scripts")) / "audio-extract"
        home = Path(environment["DAGSTER_HOME"])
        home.mkdir(parents=True, exist_ok=True)
        with (home / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(
                [program, "run", "--date", day.isoformat()],
                cwd=home,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait(self, seconds: float) -> int | None:
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
