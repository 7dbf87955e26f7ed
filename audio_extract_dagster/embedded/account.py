"""Whose account runs the embedded PostgreSQL: ours, or another when we are root.

PostgreSQL refuses to run as root. Root therefore lends it an account that exists already, and gives
that account one folder, the cluster's. No mode of any other folder is loosened, so two things are
arranged here for an account that may not enter the folders above:

- the programs get the cluster as an open folder, `/proc/self/fd/N`, which root opened for them
  (Linux);
- programs that lie in such a place (a virtual environment below `/root`) are copied, once, to
  `/var/cache/audio-extract`.
"""

# ruff: noqa: S603 - the only command is PostgreSQL's own
from __future__ import annotations

import hashlib
import logging
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audio_extract_dagster.errors import Never

_log = logging.getLogger(__name__)

_COPIES = Path("/var/cache/audio-extract")


@dataclass(frozen=True)
class Account:
    """An account of this machine, other than ours."""

    user: int
    group: int

    def take(self, path: Path) -> None:
        """Give it `path`, which must be ours."""
        if sys.platform != "win32":
            os.chown(path, self.user, self.group)


def account_for(cluster: Path) -> Account | None:
    """The account that must run the server of `cluster`; None is our own.

    For root: the owner of the cluster if there is one, else `postgres`, else `nobody`.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd  # noqa: PLC0415 - there is none on Windows

    if cluster.exists():
        owner = cluster.stat()
        return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise Never(
        "PostgreSQL does not run as root, and there is no account `postgres` or `nobody` to lend "
        "it. Work as another user, or set PG_HOST and the other PG_* settings to a server."
    )


@contextmanager
def lent_to(account: Account | None, cluster: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a program of `account` calls `cluster`, and the options of `subprocess` to start it."""
    if account is None:
        yield str(cluster), {}
        return
    options = {"user": account.user, "group": account.group, "extra_groups": [], "cwd": "/"}
    if sys.platform != "linux":
        yield str(cluster), options
        return
    folder = os.open(cluster, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}", {**options, "pass_fds": (folder,)}
    finally:
        os.close(folder)


def reachable_programs(bin_folder: Path, account: Account | None, copies: Path = _COPIES) -> Path:
    """`bin_folder`, or a copy below `copies` that `account` can run."""
    if account is None or _can_run(bin_folder, account):
        return bin_folder
    install = bin_folder.parent
    version = f"{bin_folder}\0{(bin_folder / 'postgres').stat().st_mtime_ns}"
    copy = copies / f"postgres-{hashlib.sha256(version.encode()).hexdigest()[:16]}"
    if not copy.exists():
        _copy(install, copy)
        _log.info("Copied PostgreSQL's programs to %s, where their account can run them.", copy)
    copied = copy / install.parent.name / install.name / bin_folder.name
    if not _can_run(copied, account):
        raise Never(
            f"The account with the id {account.user}, which runs PostgreSQL for root, can run it "
            f"neither in {bin_folder} nor in {copied}. Work as another user."
        )
    return copied


def _can_run(bin_folder: Path, account: Account) -> bool:
    try:
        return all(
            subprocess.run(
                [bin_folder / program, "--version"],
                user=account.user,
                group=account.group,
                extra_groups=[],
                cwd="/",
                check=False,
                capture_output=True,
            ).returncode
            == 0
            for program in ("postgres", "initdb")
        )
    except PermissionError:
        return False


def _copy(install: Path, copy: Path) -> None:
    """Copy an installation, readable by all; it appears under its name when it is complete.

    A wheel keeps the libraries that it brings in a folder beside the package, and the programs look
    for them there.
    """
    package = install.parent
    libraries = package.with_name(f"{package.name}.libs")
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=copy.parent))
    try:
        shutil.copytree(install, partial / package.name / install.name, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, partial / libraries.name, symlinks=True)
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                enters_or_runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                path.chmod(0o755 if enters_or_runs else 0o644)
        partial.rename(copy)
    except OSError:
        if not copy.exists():  # else another process was quicker
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
