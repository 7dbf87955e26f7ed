"""The SQL of the deployment guide gives each role what it needs, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, exc, text

from audio_extract_dagster.cli.instance import ready_database
from audio_extract_dagster.database.connection import open_engine
from audio_extract_dagster.database.ledger import jobs, records
from audio_extract_dagster.database.ledger.records import Asked
from audio_extract_dagster.database.tables import audio_records
from audio_extract_dagster.model import Reason
from audio_extract_dagster.settings import read_settings
from audio_extract_dagster_tests.builders import DAY, NOW, add_calls, call, recording, rows
from audio_extract_dagster_tests.defs.surroundings import bare_environment, database_variables
from audio_extract_dagster_tests.documents import fences, read
from audio_extract_dagster_tests.postgres import Database, Server

OWNER, READER = (
    [statement for statement in fence.text.split(";") if statement.strip()]
    for fence in fences(read("docs/deployment.md"))
    if fence.language == "sql"
)


@pytest.fixture
def roles(
    postgres_server: Server, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Database, Engine]]:
    """A migrated database with both roles; how the owner and how the reader see it."""
    with postgres_server.database("template0") as database:
        administrator = database.engine
        execute(administrator, OWNER, database.settings.database)
        owner = replace(database.settings, user="audio_extract", password="a-long-random-password")
        reader = replace(owner, user="audio_extract_reader", password="another-long-password")
        engines = open_engine(owner), open_engine(reader)
        monkeypatch.setenv("DAGSTER_HOME", f"{tmp_path}/home")
        for name in ("PG_PORT", "AUDIO_STORAGE_URI"):
            monkeypatch.setenv(name, "")  # what is exported is taken back
        variables = {**bare_environment(), **database_variables(Database(owner, engines[0]))}
        ready_database(read_settings({**variables, "DAGSTER_HOME": f"{tmp_path}/home"}))
        execute(administrator, READER, database.settings.database)
        try:
            yield Database(owner, engines[0]), engines[1]
        finally:
            for engine in engines:
                engine.dispose()
            names = "audio_extract, audio_extract_reader"
            execute(administrator, [f"DROP OWNED BY {names} CASCADE", f"DROP ROLE {names}"], "")


def execute(engine: Engine, statements: list[str], name: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement.replace("contact_centre", f'"{name}"')))


def test_the_owner_does_a_day_and_nothing_beyond(roles: tuple[Database, Engine]) -> None:
    engine = roles[0].engine
    add_calls(engine, call("c-1"), call("c-2"))
    with engine.begin() as connection:
        jobs.open_job(connection, "run-1", DAY, NOW)
        asked, calls = Asked(DAY, None, NOW), {"c-1": call("c-1")}
        records.write_stored(connection, asked, [recording()], calls)
        records.write_reasons(connection, asked, [(call("c-2"), {"": Reason.NOT_RECORDED})])
        connection.execute(text("CREATE TEMPORARY TABLE staged (id text)"))
    assert [row["status"] for row in rows(engine, audio_records)] == ["STORED", "MISSING"]
    for beyond in (
        "CREATE SCHEMA another",
        "CREATE ROLE another",
        "CREATE DATABASE another",
        "CREATE TABLE public.another (id text)",
        "SELECT * FROM pg_authid",
    ):
        assert refused(engine, beyond), beyond


def test_the_reader_sees_counts_and_no_personal_data(roles: tuple[Database, Engine]) -> None:
    reader = roles[1]
    with reader.connect() as connection:
        assert connection.execute(text("SELECT * FROM daily_report")).all() == []
    for beyond in (
        "SELECT payload FROM conversations",
        "SELECT ani FROM agent_calls",
        "DELETE FROM audio_records",
        "SELECT * FROM dagster.runs",
    ):
        assert refused(reader, beyond), beyond


def refused(engine: Engine, statement: str) -> bool:
    """Whether PostgreSQL refuses it for want of a right."""
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        with pytest.raises(exc.ProgrammingError, match="permission denied"):
            connection.execute(text(statement))
    return True
