"""The process that runs the embedded services for the users of a working folder.

It keeps them while a user is connected and three seconds longer. A user that is killed is noticed,
on every system, because its connection ends. `session.py` starts it. It works in one thread, its
first, with which PostgreSQL ends on Linux even when the process is killed.
"""

from __future__ import annotations

import logging
import os
import secrets
import selectors
import signal
import socket
from dataclasses import dataclass

import msgspec
from filelock import Timeout

from audio_extract_dagster.clock import Clock, SystemClock
from audio_extract_dagster.embedded.control import ControlFolder, Reply, Request, Session
from audio_extract_dagster.embedded.services import Services
from audio_extract_dagster.errors import AudioExtractError, NotYet, TryAgain

_log = logging.getLogger(__name__)

_IDLE_SECONDS = 3.0
_TICK_SECONDS = 0.2
_LINE_BYTES = 65536


@dataclass
class _Connection:
    socket: socket.socket
    rest: bytes = b""
    """What has come of a line that is not complete."""
    is_user: bool = False
    """Whether it knew the token: a port scanner keeps nothing running."""


class Supervisor:
    """Listens to users, and ends when they have gone."""

    def __init__(self, folder: ControlFolder, clock: Clock | None = None) -> None:
        self._folder = folder
        self._clock = clock or SystemClock()
        self._services = Services(folder)
        self._token = secrets.token_urlsafe(24)
        self._selector = selectors.DefaultSelector()
        self._start_lock = folder.start_lock()

    def run(self) -> None:
        """Serve until no user is left. Returns at once if there is a supervisor already."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)
        try:
            # Somebody who looks whether we live holds this lock for a moment.
            with self._folder.life_lock().acquire(timeout=5):
                self._serve()
        except Timeout:
            _log.warning("There is a supervisor in this working folder already.")
        finally:
            self._start_lock.release()

    def _serve(self) -> None:
        with self._selector, socket.create_server(("127.0.0.1", 0)) as listener:
            self._selector.register(listener, selectors.EVENT_READ)
            port = listener.getsockname()[1]
            self._folder.write_session(Session(os.getpid(), port, self._token))
            _log.info("The supervisor is ready.")
            try:
                self._listen(listener)
            finally:
                self._folder.remove_session()
                self._services.stop()
                for connection in self._connections():
                    connection.socket.close()
                _log.info("The supervisor has stopped.")

    def _listen(self, listener: socket.socket) -> None:
        """Return when no user has been connected for a while and none is about to join."""
        last_used = self._clock.monotonic()
        while True:
            for key, _ in self._selector.select(_TICK_SECONDS):
                if key.fileobj is listener:
                    self._greet(listener)
                else:
                    self._hear(key.data)
            now = self._clock.monotonic()
            if any(connection.is_user for connection in self._connections()):
                last_used = now
            elif now - last_used >= _IDLE_SECONDS and self._bar_joining():
                return

    def _bar_joining(self) -> bool:
        """From here on nobody can join us; False if somebody is just about to."""
        try:
            self._start_lock.acquire(timeout=0)
        except Timeout:
            return False
        return True

    def _connections(self) -> list[_Connection]:
        return [key.data for key in self._selector.get_map().values() if key.data is not None]

    def _greet(self, listener: socket.socket) -> None:
        accepted, _ = listener.accept()
        accepted.settimeout(5)
        self._selector.register(accepted, selectors.EVENT_READ, _Connection(accepted))

    def _hear(self, connection: _Connection) -> None:
        try:
            received = connection.socket.recv(_LINE_BYTES)
            *lines, connection.rest = (connection.rest + received).split(b"\n")
            for line in lines:
                reply = self._answer(connection, msgspec.json.decode(line, type=Request))
                connection.socket.sendall(msgspec.json.encode(reply) + b"\n")
            ended = not received or len(connection.rest) > _LINE_BYTES
        except (OSError, msgspec.MsgspecError):
            ended = True
        if ended:
            self._selector.unregister(connection.socket)
            connection.socket.close()

    def _answer(self, connection: _Connection, request: Request) -> Reply:
        if not secrets.compare_digest(request.token.encode(), self._token.encode()):
            return Reply(failure="This supervisor belongs to another working folder.")
        connection.is_user = True
        try:
            return Reply(services=self._services.provide(request.parts))
        except NotYet as error:
            return Reply(failure=str(error), family="NotYet")
        except TryAgain as error:
            return Reply(failure=str(error), family="TryAgain")
        except (AudioExtractError, OSError) as error:
            _log.exception("A service did not start.")
            return Reply(failure=str(error), family="Never")


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(0)
