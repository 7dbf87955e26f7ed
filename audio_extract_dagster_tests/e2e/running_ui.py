"""The Dagster UI of `audio-extract dev`, on the data of a demo, in a folder of its own."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import requests

from audio_extract_dagster_tests.cli.command_line import CommandLine, program
from audio_extract_dagster_tests.defs.surroundings import bare_environment

T = TypeVar("T")

_START_SECONDS = 180
_STOP_SECONDS = 60


@dataclass(frozen=True)
class RunningUi:
    """Where it is, and what the demo said before."""

    folder: Path
    url: str
    demo: str

    @property
    def day(self) -> str:
        """The day that the demo extracted."""
        return self.demo[:10]

    def count(self, word: str) -> str:
        """A number of the demo's closed counts, by the word after it."""
        found = re.search(rf"(\d+) {word}", self.demo)
        assert found is not None, self.demo
        return found[1]

    def audio_of(self, day: str) -> Iterator[Path]:
        """The audio files of a day."""
        return (self.folder / "data" / "audio" / day.replace("-", "/")).rglob("*.*")


@contextmanager
def running_ui(folder: Path) -> Iterator[RunningUi]:
    """Run a demo, then the UI. What it says goes to `dev.log` in the folder."""
    environment = bare_environment()
    demo = CommandLine(folder, environment).run("demo")
    assert demo.code == 0, demo.errors
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    log = folder / "dev.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [program(), "dev", "--port", str(port)],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            wait_until(lambda: _answers(url) or _died(process, log), _START_SECONDS)
            yield RunningUi(folder, url, demo.output)
            process.terminate()
            process.wait(_STOP_SECONDS)
        finally:
            process.kill()


def wait_until(condition: Callable[[], T], seconds: float) -> T:
    """What a condition gives as soon as it is true; fails the test if it never is."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)
    return found


def _answers(url: str) -> bool:
    with suppress(requests.ConnectionError):
        return requests.get(f"{url}/server_info", timeout=10).ok
    return False


def _died(process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    return False
