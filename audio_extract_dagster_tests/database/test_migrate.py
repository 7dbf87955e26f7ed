"""The steps lead to the tables of `tables.py`, once, whoever and however many ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text

from audio_extract_dagster.database.connection import (
    DatabaseRefused,
    DatabaseUnavailable,
    open_engine,
)
from audio_extract_dagster.database.locks import advisory_key
from audio_extract_dagster.database.migrate import VERSION_TABLE, migrate, schema_is_current
from audio_extract_dagster.database.tables import metadata
from audio_extract_dagster_tests.postgres import Database, Server

SCHEMA = "audio_extract"


@pytest.fixture
def empty(postgres_server: Server) -> Iterator[Database]:
    with postgres_server.database("template0") as database:
        yield database


@contextmanager
def role(database: Database) -> Iterator[Database]:
    """The same database for somebody who owns nothing in it."""
    with database.engine.begin() as connection:
        connection.execute(text("CREATE ROLE runner LOGIN PASSWORD 'x'"))
    settings = replace(database.settings, user="runner", password="x")
    engine = open_engine(settings)
    try:
        yield Database(settings, engine)
    finally:
        engine.dispose()
        with database.engine.begin() as connection:
            connection.execute(text("DROP OWNED BY runner CASCADE; DROP ROLE runner"))


def run(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_the_migrated_schema_is_that_of_the_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": VERSION_TABLE,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        assert compare_metadata(context, metadata) == []


def test_the_catalogue_is_that_of_the_tables(database: Database, empty: Database) -> None:
    """As the test before, with what Alembic does not compare: checks, names, order of columns."""
    run(empty.engine, f"CREATE SCHEMA {SCHEMA}")
    metadata.create_all(empty.engine)
    with database.engine.connect() as migrated, empty.engine.connect() as created:
        assert catalogue(migrated) == catalogue(created)


def catalogue(connection: Connection) -> dict[str, list[Any]]:
    queries = {
        "columns": (
            "SELECT table_name, column_name, ordinal_position, data_type, udt_name, is_nullable,"
            " column_default FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name <> 'audio_extract_version'"
            " ORDER BY 1, 3"
        ),
        "constraints": (
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE connamespace = current_schema()::regnamespace"
            " AND conrelid::regclass::text <> 'audio_extract_version' ORDER BY 1, 2"
        ),
        "indexes": (
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
            " AND tablename <> 'audio_extract_version' ORDER BY 1"
        ),
    }
    return {
        name: [tuple(row) for row in connection.execute(text(query))]
        for name, query in queries.items()
    }


def test_every_column_explains_itself(database: Database) -> None:
    found = inspect(database.engine)
    for table in metadata.sorted_tables:
        assert found.get_table_comment(table.name)["text"] == table.comment
        for column in found.get_columns(table.name):
            assert column["comment"], f"{table.name}.{column['name']}"
            assert column["comment"] == table.columns[column["name"]].comment


def test_migrating_again_changes_nothing(empty: Database) -> None:
    assert not schema_is_current(empty.engine)
    migrate(empty.engine, SCHEMA)
    assert schema_is_current(empty.engine)
    run(empty.engine, "INSERT INTO day_counts VALUES ('x', '2024-01-05', '{}')")
    migrate(empty.engine, SCHEMA)
    with empty.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM day_counts")) == 1


def test_several_processes_may_migrate_at_once(empty: Database) -> None:
    engines = [open_engine(empty.settings) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda engine: migrate(engine, SCHEMA), engines))
    assert all(schema_is_current(engine) for engine in engines)
    for engine in engines:
        engine.dispose()


def test_schemas_live_beside_each_other(database: Database) -> None:
    engine = open_engine(replace(database.settings, schema="another_one"))
    assert not schema_is_current(engine)
    migrate(engine, "another_one")
    run(engine, "INSERT INTO day_counts VALUES ('x', '2024-01-05', '{}')")
    engine.dispose()
    with database.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM day_counts")) == 0


def test_a_lock_that_is_taken_is_waited_for_and_then_told(empty: Database) -> None:
    with empty.engine.begin() as connection:
        key = advisory_key("migrate", SCHEMA)
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        with pytest.raises(DatabaseUnavailable, match="Another process has been migrating"):
            migrate(empty.engine, SCHEMA, lock_seconds=0.01)
    migrate(empty.engine, SCHEMA, lock_seconds=0.01)


def test_a_role_that_may_not_create_the_schema_gets_the_sql(empty: Database) -> None:
    with role(empty) as runner:
        with pytest.raises(DatabaseRefused) as caught:
            migrate(runner.engine, SCHEMA)
        remedy = "CREATE SCHEMA audio_extract AUTHORIZATION runner;"
        assert remedy in str(caught.value)
        run(empty.engine, remedy)
        migrate(runner.engine, SCHEMA)
        assert schema_is_current(runner.engine)


def test_a_role_that_may_not_create_tables_gets_the_sql(empty: Database) -> None:
    run(empty.engine, f"CREATE SCHEMA {SCHEMA}")
    with role(empty) as runner:
        with pytest.raises(DatabaseRefused) as caught:
            migrate(runner.engine, SCHEMA)
        remedy = "GRANT USAGE, CREATE ON SCHEMA audio_extract TO runner;"
        assert remedy in str(caught.value)
        run(empty.engine, remedy)
        migrate(runner.engine, SCHEMA)


def test_a_role_that_only_works_needs_no_right_to_migrate(database: Database) -> None:
    with role(database) as runner:
        run(
            database.engine,
            f"GRANT USAGE ON SCHEMA {SCHEMA} TO runner",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO runner",
        )
        migrate(runner.engine, SCHEMA)


def test_a_newer_schema_is_left_alone(database: Database) -> None:
    run(database.engine, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    assert schema_is_current(database.engine)
    migrate(database.engine, SCHEMA)
    with database.engine.connect() as connection:
        assert connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}")) == "9999"


@pytest.mark.parametrize("version", ["0000", "another"])
def test_a_version_of_somebody_else_is_refused(database: Database, version: str) -> None:
    run(database.engine, f"UPDATE {VERSION_TABLE} SET version_num = '{version}'")
    assert not schema_is_current(database.engine)
    with pytest.raises(DatabaseRefused, match="none of this project's"):
        migrate(database.engine, SCHEMA)


def test_a_step_that_fails_leaves_nothing_behind(empty: Database) -> None:
    run(empty.engine, f"CREATE SCHEMA {SCHEMA}", f"CREATE TABLE {SCHEMA}.notifications ()")
    with pytest.raises(DatabaseRefused, match="42P07"):
        migrate(empty.engine, SCHEMA)
    assert inspect(empty.engine).get_table_names() == ["notifications"]
