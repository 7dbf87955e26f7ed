"""The machines: a broker, a daemon and workers, each a process with a folder of its own.

Working folder, `DAGSTER_HOME`, temporary files and environment are theirs alone. What they share is
what the environment names: PostgreSQL, bucket, broker. Nothing here knows what the runs do.
"""

# ruff: noqa: S603 - the commands are this project's own and Debian's
from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from audio_extract_dagster.embedded.children import ends_with_us

INSTANCE = Path(__file__).parents[2] / "deploy" / "dagster-celery.yaml"
LOCATION = "audio_extract_dagster.definitions"

_RECEIVED = re.compile(r"Task execute_job\[([0-9a-f-]+)\] received")
_BACKFILL = """
mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""


def furnish(folder: Path) -> Path:
    """A `DAGSTER_HOME` with the instance in `folder`; returns it."""
    home = folder / "dagster"
    home.mkdir(parents=True)
    shutil.copyfile(INSTANCE, home / "dagster.yaml")
    return home


class Machine:
    """One process, and what it started, in a folder of its own."""

    def __init__(
        self, name: str, folder: Path, environment: Mapping[str, str], command: Sequence[str]
    ) -> None:
        self.name = name
        self.folder = folder
        self.log = folder / "output.txt"
        temporary = folder / "tmp"
        temporary.mkdir(parents=True)
        self.environment = {
            **environment,
            "DAGSTER_HOME": str(furnish(folder)),
            "TMPDIR": str(temporary),
        }
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **ends_with_us(),
            )

    @property
    def tasks(self) -> list[str]:
        """The Celery tasks that this worker has taken, in order."""
        return _RECEIVED.findall(self.log.read_text(encoding="utf-8", errors="replace"))

    def kill(self) -> None:
        """SIGKILL to the whole tree: no handler, no `finally`, no goodbye to anybody."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end, wait a little, then make it."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


class Fleet:
    """A broker, `workers` workers that take one run at a time, and the daemon."""

    def __init__(self, folder: Path, environment: Mapping[str, str], workers: int) -> None:
        port = _free_port()
        redis = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        self._broker = Machine("broker", folder / "broker", environment, redis)
        self._environment = {
            **environment,
            "CELERY_BROKER_URL": f"redis://127.0.0.1:{port}/0",
            "CELERY_RESULT_BACKEND": f"redis://127.0.0.1:{port}/1",
        }
        self.workers = [self._worker(folder, f"machine-{number + 1}") for number in range(workers)]
        daemon = [_program("dagster-daemon"), "run", "-m", LOCATION]
        self._daemon = Machine("daemon", folder / "daemon", self._environment, daemon)

    @classmethod
    @contextmanager
    def running(cls, folder: Path, environment: Mapping[str, str], workers: int) -> Iterator[Fleet]:
        """A fleet that is stopped at the end, whatever happens."""
        fleet = cls(folder, environment, workers)
        try:
            yield fleet
        finally:
            for machine in (fleet._daemon, *fleet.workers, fleet._broker):
                machine.stop()

    def backfill(self, job: str, days: Sequence[str]) -> str:
        """Launch a backfill as the UI does, by GraphQL; returns its id."""
        repository = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__"}
        params = {
            "selector": {
                "partitionSetName": f"{job}_partition_set",
                "repositorySelector": repository,
            },
            "partitionNames": list(days),
        }
        command = [_program("dagster-graphql"), "-m", LOCATION]
        answer = self._daemon.folder / "backfill.json"
        command += ["-o", str(answer), "-t", _BACKFILL, "-v", json.dumps({"params": params})]
        subprocess.run(
            command,
            env=self._daemon.environment,
            cwd=self._daemon.folder,
            check=True,
            capture_output=True,
        )
        told: dict[str, Any] = json.loads(answer.read_text())["data"]["launchPartitionBackfill"]
        if "backfillId" not in told:
            raise RuntimeError(f"no backfill: {told}")
        return str(told["backfillId"])

    def worker_of(self, task: str | None) -> str:
        """The machine that took a Celery task."""
        return next((worker.name for worker in self.workers if task in worker.tasks), "nobody")

    def _worker(self, folder: Path, name: str) -> Machine:
        options = ["--concurrency", "1", "--max-tasks-per-child", "1", "--disable-prefetch"]
        start = [sys.executable, "-m", "celery", "-A", "dagster_celery.app", "worker", *options]
        start += ["-I", LOCATION, "-n", f"{name}@%h", "-Q", "dagster", "--loglevel", "INFO"]
        return Machine(name, folder / name, self._environment, start)


def _program(name: str) -> str:
    return str(Path(sysconfig.get_path("scripts")) / name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
