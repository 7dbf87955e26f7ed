"""Runs that are stopped from outside: the job says so, and the next run does what is left."""

from __future__ import annotations

import signal
import subprocess
from datetime import date

from sqlalchemy import exc, text

from audio_extract_dagster.database.locks import day_lock
from audio_extract_dagster.simulator import Fault, Simulator
from audio_extract_dagster_tests.cli.command_line import CommandLine, Finished, finish
from audio_extract_dagster_tests.defs.location import rows
from audio_extract_dagster_tests.embedded.waiting import eventually
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer
from audio_extract_dagster_tests.postgres import Database

DAY = "2024-02-16"


def _stopped_by(number: int, terminal: CommandLine, simulator: Simulator) -> Finished:
    """A run that gets the signal while Genesys answers its first look at a batch."""
    running: list[subprocess.Popen[str]] = []

    def act(answer: object) -> object:
        running[0].send_signal(number)
        return answer

    fault = simulator.faults.add(Fault("batch_poll", "mutate", change=act))
    running.append(terminal.start("run", "--date", DAY))
    finished = finish(running[0])
    assert simulator.faults.struck(fault) == 1
    return finished


def test_a_run_that_is_stopped_while_another_one_has_its_day_was_canceled(
    terminal: CommandLine, database: Database, gateway: HttpGatewayServer
) -> None:
    with day_lock(database.engine, database.settings.schema, date.fromisoformat(DAY)):
        waiting = terminal.start("run", "--date", DAY)
        assert waiting.stderr is not None
        assert waiting.stderr.readline() == f"Another run works on {DAY}; waiting for it.\n"
        assert eventually(lambda: _has_begun(database))
        waiting.send_signal(signal.SIGTERM)
        stopped = finish(waiting)

    assert (stopped.code, stopped.output) == (1, "")
    assert stopped.errors == f"{DAY} CANCELED: the run was canceled.\n"
    (message,) = gateway.received
    assert "CANCELED" in message["subject"]
    assert rows(database.engine, "extraction_jobs") == []


def _has_begun(database: Database) -> bool:
    """Whether the first step of a run is at work."""
    begun = text("SELECT count(*) FROM dagster.event_logs WHERE dagster_event_type = 'STEP_START'")
    try:
        with database.engine.connect() as connection:
            return bool(connection.scalar(begun))
    except exc.ProgrammingError:  # Dagster has not made its tables yet
        return False


def test_a_day_is_completed_by_the_run_after_those_that_were_stopped(
    terminal: CommandLine, database: Database, simulator: Simulator
) -> None:
    by_request = _stopped_by(signal.SIGTERM, terminal, simulator)
    by_force = _stopped_by(signal.SIGKILL, terminal, simulator)
    completed = terminal.run("run", "--date", DAY)

    assert by_request.code == 1
    assert f"{DAY} CANCELED" in by_request.output
    assert by_request.errors == "Cause: audio: canceled.\n"
    assert by_force.code == -signal.SIGKILL
    assert completed.code == 0

    jobs = rows(database.engine, "extraction_jobs")
    assert [job["status"] for job in jobs] == ["CANCELED", "FAILED", "INCOMPLETE"]
    assert jobs[1]["error"].startswith("audio: the run vanished")
    with database.engine.connect() as connection:
        runs = connection.execute(text("SELECT status FROM dagster.runs ORDER BY id"))
        assert [*runs.scalars()] == ["CANCELED", "FAILURE", "SUCCESS"]
    # The batch of the first run was read to its end by the last one.
    assert len(simulator.log) == 1
    files = [*(terminal.folder / "data" / "audio").rglob("*.*")]
    assert len(files) == jobs[2]["stored"] > 0
    assert not [file for file in files if file.suffix == ".part"]
