"""Using the embedded services: join those of the working folder, or start them.

All processes of a working folder share one set of services, run by a supervisor (`supervisor.py`).
A process uses them through a connection that stays open until the process ends.
"""

# ruff: noqa: S603 - the only command is this package's own
from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from filelock import Timeout

from audio_extract_dagster.clock import Clock, SystemClock
from audio_extract_dagster.embedded.control import (
    PARTS,
    ControlFolder,
    EmbeddedServices,
    Reply,
    Request,
    Session,
)
from audio_extract_dagster.embedded.libpq import without_libpq
from audio_extract_dagster.errors import Never, NotYet, TryAgain

_JOIN_SECONDS = 60.0
_ANSWER_SECONDS = 180.0  # the first start of PostgreSQL, on a busy machine
_PAUSE_SECONDS = 0.05

_FAMILIES = {"Never": Never, "NotYet": NotYet, "TryAgain": TryAgain}

# By process: a forked child must not speak on the connection of its parent.
_uses: dict[tuple[int, Path], _Use] = {}
_guard = threading.Lock()
# Supervisors outlive us on purpose; kept, they are not taken for forgotten children.
_supervisors: list[subprocess.Popen[bytes]] = []


class EmbeddedUnavailable(TryAgain):
    """The supervisor of the embedded services does not start or does not answer."""


def ensure_embedded(
    data_folder: Path,
    parts: Collection[str] = PARTS,
    *,
    clock: Clock | None = None,
) -> EmbeddedServices:
    """Make sure that `parts` run, and tell how to reach them. They run until this process ends.

    To be called as often as wanted: repeating takes a millisecond and starts again what was killed.
    Raises `EmbeddedUnavailable`, or of the three families what a service raised that did not start.
    """
    if unknown := set(parts) - PARTS:
        raise ValueError(f"there are no embedded services {sorted(unknown)}")
    folder = ControlFolder(data_folder)
    wanted = frozenset(parts)
    key = os.getpid(), folder.data
    with _guard:
        if key in _uses:
            try:
                return _uses[key].ask(wanted)
            except OSError:  # the supervisor was killed
                del _uses[key]
        _uses[key], services = _join(folder, wanted, clock or SystemClock())
        return services


def release_embedded(data_folder: Path) -> None:
    """End this process's use before the process ends. Harmless if there is none."""
    with _guard:
        use = _uses.pop((os.getpid(), data_folder.absolute()), None)
        if use is not None:
            use.close()


class _Use:
    """A connection to the supervisor."""

    def __init__(self, session: Session) -> None:
        self._token = session.token
        self._socket = socket.create_connection(("127.0.0.1", session.port), _ANSWER_SECONDS)
        self._answers = self._socket.makefile("rb")

    def ask(self, parts: frozenset[str]) -> EmbeddedServices:
        """The services, running. Raises OSError, and is closed, if the supervisor is gone."""
        request = msgspec.json.encode(Request(self._token, parts))
        try:
            self._socket.sendall(request + b"\n")
            line = self._answers.readline()
            if not line:
                raise ConnectionResetError("the supervisor has closed the connection")
        except BaseException:  # also Ctrl-C: an answer that comes later must not be read
            self.close()
            raise
        reply = msgspec.json.decode(line, type=Reply)
        if reply.services is None:
            raise _FAMILIES[reply.family](reply.failure)
        return reply.services

    def close(self) -> None:
        self._answers.close()
        self._socket.close()


def _join(
    folder: ControlFolder, parts: frozenset[str], clock: Clock
) -> tuple[_Use, EmbeddedServices]:
    """Become a user. The lock is held until the supervisor has answered: till then it may stop."""
    try:
        with folder.start_lock().acquire(timeout=_JOIN_SECONDS + _ANSWER_SECONDS):
            use = _connect(folder, clock)
            try:
                return use, use.ask(parts)
            except BaseException:
                use.close()
                raise
    except (OSError, Timeout) as error:
        raise EmbeddedUnavailable(
            f"The embedded services do not answer ({error}). What happened is in {folder.log}."
        ) from error


def _connect(folder: ControlFolder, clock: Clock) -> _Use:
    """Connect to the supervisor, starting one if there is none."""
    ours: subprocess.Popen[bytes] | None = None
    deadline = clock.monotonic() + _JOIN_SECONDS
    while clock.monotonic() < deadline:
        if (ours is None or ours.poll() is not None) and not folder.has_supervisor():
            if ours is not None:
                break
            folder.remove_session()  # of one that was killed
            ours = _start_supervisor(folder)
        session = folder.read_session()
        if session is not None:
            with suppress(OSError):  # it is about to stop, and then there will be another
                return _Use(session)
        clock.sleep(_PAUSE_SECONDS)
    raise EmbeddedUnavailable(
        f"The supervisor of the embedded services did not start. Why is in {folder.log}."
    )


def _start_supervisor(folder: ControlFolder) -> subprocess.Popen[bytes]:
    """Ctrl-C in the terminal is for us; the supervisor ends when its users have."""
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        detached = {"creationflags": flags}
    with folder.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "audio_extract_dagster.embedded", str(folder.data)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=without_libpq(os.environ),
            **detached,
        )
    _supervisors[:] = [known for known in _supervisors if known.poll() is None] + [process]
    return process
