"""The database dies under a run: it says so, and mails what it can no longer write down.

It takes most of a minute, because Dagster tries again for as long.
"""

from __future__ import annotations

from pathlib import Path

from audio_extract_dagster.simulator import Fault
from audio_extract_dagster_tests.cli.command_line import configured, quick_simulator
from audio_extract_dagster_tests.notify.gateway_server import http_gateway
from audio_extract_dagster_tests.postgres import Database, Server

DAY = "2024-02-16"


def test_a_run_that_loses_its_database_says_so_and_mails(
    tmp_path: Path, database: Database, postgres_server: Server
) -> None:
    def lose(answer: object) -> object:
        postgres_server.shut_out(database)
        return answer

    with quick_simulator() as simulator, http_gateway() as gateway:
        simulator.faults.add(Fault("batch_poll", "mutate", change=lose))
        failed = configured(tmp_path, database, simulator, gateway).run("run", "--date", DAY)

    assert failed.code == 1
    assert "Traceback" not in failed.errors
    assert failed.errors.splitlines()[-1].startswith("audio-extract: PostgreSQL")
    assert f"PG_DATABASE={database.settings.database}" in failed.errors
    (message,) = gateway.received
    assert "FAILED" in message["subject"]
    assert "the database could not be reached" in message["htmlContent"]
