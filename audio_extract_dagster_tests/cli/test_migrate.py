"""`audio-extract migrate`: the schema, once and again."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import inspect

from audio_extract_dagster.embedded.postgres import EmbeddedPostgres
from audio_extract_dagster_tests.cli.command_line import CommandLine
from audio_extract_dagster_tests.defs.surroundings import database_variables
from audio_extract_dagster_tests.postgres import Server, system_programs


def test_an_empty_database_gets_its_tables_and_the_second_time_nothing_happens(
    nowhere: CommandLine, postgres_server: Server
) -> None:
    with postgres_server.database("template0") as empty:
        variables = database_variables(empty)
        finished = [nowhere.run("migrate", **variables, PG_SCHEMA="calls") for _ in range(2)]
        tables = inspect(empty.engine).get_table_names("calls")

    for each in finished:
        assert (each.code, each.errors) == (0, "")
        assert each.output == (
            f"Schema calls of database {empty.settings.database} is up to date.\n"
        )
    assert {"conversations", "audio_records", "extraction_jobs", "audio_extract_version"} <= {
        *tables
    }


def test_only_the_database_must_be_configured(nowhere: CommandLine) -> None:
    refused = nowhere.run("migrate", PG_HOST="127.0.0.1")

    assert refused.code == 1
    assert "GENESYS" not in refused.errors
    for name in ("PG_USER", "PG_PASSWORD", "PG_DATABASE"):
        assert f"  - {name} is required and not set" in refused.errors


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such sockets")
def test_a_socket_folder_is_as_good_as_a_host(
    nowhere: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As Cloud SQL shows a database. The path of a socket may have about 100 bytes.
    with tempfile.TemporaryDirectory(dir="/tmp") as sockets:
        Path(sockets).chmod(0o777)
        options = {"unix_socket_directories": sockets, "fsync": "off"}
        server = EmbeddedPostgres(
            tmp_path / "server", bin_folder=system_programs(), options=options
        )
        with server as settings:
            variables = {
                "PG_HOST": sockets,
                "PG_PORT": str(settings.port),
                "PG_USER": settings.user,
                "PG_PASSWORD": settings.password,
                "PG_DATABASE": settings.database,
            }
            finished = nowhere.run("migrate", **variables)
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
            home = nowhere.folder / "data" / "dagster"
            with dg.DagsterInstance.from_config(str(home)) as instance:
                runs = instance.get_runs_count()

    assert (finished.code, finished.errors, runs) == (0, "", 0)
