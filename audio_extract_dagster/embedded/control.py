"""How the users of the embedded services and their supervisor find and understand each other.

Files in `data/embedded`, and lines of JSON over a TCP connection on loopback. Who does what with
them is in `session.py` (the users) and `supervisor.py`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import msgspec
from filelock import FileLock, Timeout

from audio_extract_dagster.database.connection import PostgresSettings

PARTS = frozenset({"postgres", "genesys", "gateway"})


class Session(msgspec.Struct, frozen=True):
    """Who the supervisor is, where it listens, and the word that tells it a user of this folder."""

    process: int
    port: int
    token: str


class Request(msgspec.Struct, frozen=True):
    """A user asks for services. It may ask again on its connection."""

    token: str
    parts: frozenset[str]


class EmbeddedServices(msgspec.Struct, frozen=True):
    """How to reach the services that were asked for; None for the others."""

    postgres: PostgresSettings | None = None
    genesys_url: str | None = None
    notify_url: str | None = None


class Reply(msgspec.Struct, frozen=True):
    """The services, or why there are none."""

    services: EmbeddedServices | None = None
    failure: str | None = None
    family: Literal["TryAgain", "Never", "NotYet"] = "Never"


class ControlFolder:
    """The files in `data/embedded`."""

    def __init__(self, data_folder: Path) -> None:
        self.data = data_folder.absolute()
        self.path = self.data / "embedded"
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.log = self.path / "supervisor.log"
        self._session = self.path / "session.json"

    def start_lock(self) -> FileLock:
        """Held by a user that joins and by a supervisor that stops: never both at once."""
        return FileLock(self.path / "start.lock")

    def life_lock(self) -> FileLock:
        """Held by the supervisor while it lives; the system lets go of it when it is killed."""
        return FileLock(self.path / "supervisor.lock")

    def has_supervisor(self) -> bool:
        """Whether a supervisor lives. Asked by the holder of the start lock alone."""
        try:
            with self.life_lock().acquire(timeout=0):
                return False
        except Timeout:
            return True

    def write_session(self, session: Session) -> None:
        """Let users find the supervisor; the file appears whole, and for us alone."""
        new = self._session.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(session))
        new.replace(self._session)

    def read_session(self) -> Session | None:
        """The session, perhaps of a supervisor that was killed; None if there is none."""
        try:
            return msgspec.json.decode(self._session.read_bytes(), type=Session)
        except FileNotFoundError:
            return None

    def remove_session(self) -> None:
        """Nobody is to look for the supervisor any more."""
        self._session.unlink(missing_ok=True)
