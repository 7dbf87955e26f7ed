"""`audio-extract migrate`: the schema, once and again."""

from __future__ import annotations

from sqlalchemy import inspect

from audio_extract_dagster_tests.cli.command_line import CommandLine
from audio_extract_dagster_tests.defs.surroundings import database_variables
from audio_extract_dagster_tests.postgres import Server


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
