"""What a session looks like, and what a person reads when there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone
from typing import Any

import pytest
from sqlalchemy import create_engine, exc, insert, select, text

from audio_extract_dagster.database.connection import (
    DatabaseRefused,
    DatabaseUnavailable,
    PostgresSettings,
    database_errors,
    explain,
    open_engine,
)
from audio_extract_dagster.database.tables import audio_records, day_counts
from audio_extract_dagster.errors import AudioExtractError
from audio_extract_dagster_tests.postgres import Database, Server

_KEEPALIVES = ("idle", "interval", "count")
PHONE = "tel:+51987654321"


def failure(settings: PostgresSettings, statement: str = "SELECT 1") -> AudioExtractError:
    engine = open_engine(settings)
    try:
        with (
            pytest.raises(AudioExtractError) as caught,
            database_errors(settings),
            engine.begin() as connection,
        ):
            connection.execute(text(statement))
    finally:
        engine.dispose()
    return caught.value


def test_a_session_sees_our_schema_in_utc(database: Database) -> None:
    with database.engine.connect() as connection:
        assert connection.scalar(text("SELECT current_schema()")) == "audio_extract"
        assert connection.scalar(text("SHOW search_path")) == '"audio_extract"'
        assert connection.scalar(text("SHOW TimeZone")) == "UTC"
        assert connection.scalar(text("SHOW application_name")) == "audio-extract"
        assert connection.scalar(text("SHOW client_encoding")) == "UTF8"
    assert database.engine.dialect.driver == "psycopg2"


def test_the_server_looks_out_for_machines_that_are_gone(database: Database) -> None:
    """Within a minute, so that the lock of a day does not outlive its run for hours."""
    with database.engine.connect() as connection:
        shown = [connection.scalar(text(f"SHOW tcp_keepalives_{name}")) for name in _KEEPALIVES]
    assert shown == ["30", "10", "3"]


def test_nothing_waits_for_a_lock_for_ever(database: Database) -> None:
    """A process that is paused while it holds one looks alive."""
    with database.engine.connect() as connection:
        assert connection.scalar(text("SHOW lock_timeout")) == "10min"


@pytest.mark.parametrize("schema", ["Con Espacio", 'a"b', "back\\slash", "a,b"])
def test_any_name_can_be_the_schema(database: Database, schema: str) -> None:
    engine = open_engine(replace(database.settings, schema=schema))
    try:
        with engine.begin() as connection:
            quoted = connection.dialect.identifier_preparer.quote_identifier(schema)
            connection.execute(text("CREATE SCHEMA " + quoted))
            assert connection.scalar(text("SELECT current_schema()")) == schema
    finally:
        engine.dispose()


def test_a_socket_folder_is_a_host() -> None:
    settings = PostgresSettings("me", "secret", "/cloudsql/project:region:instance", 5433, "calls")
    engine = open_engine(settings)
    _, arguments = engine.dialect.create_connect_args(engine.url)
    assert arguments["host"] == "/cloudsql/project:region:instance"
    assert arguments["port"] == "5433"
    assert arguments["user"] == "me"
    assert arguments["dbname"] == "calls"


def test_the_password_is_not_shown() -> None:
    settings = PostgresSettings("me", "s3cret", "127.0.0.1", 5432, "calls")
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in str(settings.url())
    assert "s3cret" not in repr(open_engine(settings))


@pytest.mark.parametrize(
    "wrong",
    [{"password": "wr0ng-word"}, {"database": "no_such_database"}, {"user": "nobody_known"}],
)
def test_a_refused_login_names_the_settings(database: Database, wrong: dict[str, Any]) -> None:
    settings = replace(database.settings, **wrong)
    error = failure(settings)
    assert isinstance(error, DatabaseRefused)
    for name, value in (
        ("PG_HOST", settings.host),
        ("PG_PORT", settings.port),
        ("PG_DATABASE", settings.database),
        ("PG_USER", settings.user),
    ):
        assert f"{name}={value}" in str(error)
    assert settings.password not in str(error)


def test_a_server_that_is_away_may_come_back(database: Database) -> None:
    error = failure(replace(database.settings, port=1))
    assert isinstance(error, DatabaseUnavailable)
    assert "PG_PORT=1" in str(error)
    assert "Check that it runs" in str(error)


def test_a_connection_that_is_cut_may_come_back(database: Database) -> None:
    cut = "SELECT pg_terminate_backend(pg_backend_pid())"
    assert isinstance(failure(database.settings, cut), DatabaseUnavailable)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("DatabaseError", DatabaseUnavailable),
        ("InternalError", DatabaseUnavailable),
        ("ProgrammingError", DatabaseRefused),
        ("DataError", DatabaseRefused),
    ],
)
def test_without_a_state_the_server_did_not_answer(
    database: Database, kind: str, expected: type[AudioExtractError]
) -> None:
    driver: Any = database.engine.dialect.loaded_dbapi
    error = getattr(driver, kind)("error with no message from the libpq")
    raised = exc.DBAPIError.instance("SELECT 1", None, error, driver.Error)
    assert isinstance(raised, exc.DBAPIError)
    assert isinstance(explain(raised, database.settings), expected)


def test_the_pool_notices_a_restart(database: Database, postgres_server: Server) -> None:
    with database.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    other = create_engine(database.settings.url())
    with other.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    other.dispose()
    with database_errors(database.engine), database.engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_missing_table_asks_for_the_migration(postgres_server: Server) -> None:
    with postgres_server.database("template0") as empty:
        error = failure(empty.settings, "SELECT * FROM audio_records")
    assert isinstance(error, DatabaseRefused)
    assert "audio-extract migrate" in str(error)


def test_a_missing_permission_is_for_a_person(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("CREATE ROLE stranger LOGIN PASSWORD 'x'"))
    stranger = replace(database.settings, user="stranger", password="x")
    try:
        error = failure(stranger, "SELECT * FROM audio_extract.audio_records")
    finally:
        with database.engine.begin() as connection:
            connection.execute(text("DROP ROLE stranger"))
    assert isinstance(error, DatabaseRefused)
    assert "An administrator must grant" in str(error)
    assert "PG_USER=stranger" in str(error)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("53100", DatabaseUnavailable),
        ("57P01", DatabaseUnavailable),
        ("40P01", DatabaseUnavailable),
        ("55P03", DatabaseUnavailable),
        ("25006", DatabaseUnavailable),
        ("42501", DatabaseRefused),
        ("23505", DatabaseRefused),
    ],
)
def test_states_of_the_server_are_told_apart(
    database: Database, state: str, expected: type[AudioExtractError]
) -> None:
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'it happened' USING ERRCODE = '{state}'; END $$"
    error = failure(database.settings, raising)
    assert isinstance(error, expected)
    assert state in str(error)


def test_a_full_disk_is_told_as_such(database: Database) -> None:
    raising = "DO $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$"
    error = failure(database.settings, raising)
    assert "disk is full" in str(error)


def test_no_row_shows_in_an_error(database: Database) -> None:
    row = {
        "conversation_id": PHONE,
        "call_date": date(2024, 1, 5),
        "status": "STORED",
        "updated_at": datetime(2024, 1, 5, tzinfo=timezone.utc),
    }
    with (
        pytest.raises(DatabaseRefused) as caught,
        database_errors(database.engine),
        database.engine.begin() as connection,
    ):
        connection.execute(insert(audio_records), row)
    assert PHONE not in str(caught.value)
    assert "ck_audio_records_accounted" in str(caught.value)
    # Nor in what a traceback would print of the cause.
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


def test_errors_of_others_pass(database: Database) -> None:
    with pytest.raises(KeyError), database_errors(database.settings):
        raise KeyError("not the database's")


def test_a_pool_that_is_used_up_is_told(database: Database) -> None:
    error = explain(exc.TimeoutError("QueuePool limit"), database.settings)
    assert isinstance(error, DatabaseUnavailable)
    assert "No free connection" in str(error)


def test_json_is_written_as_the_server_can_store_it(database: Database) -> None:
    counts = {"nul": "a\0b", "lone": "\ud800", "pair": "\ud83d\ude00"}
    with database.engine.begin() as connection:
        connection.execute(
            insert(day_counts).values(asset="x", call_date=date(2024, 1, 5), counts=counts)
        )
        stored = connection.scalar(select(day_counts.c.counts))
    assert stored == {"nul": "a\ufffdb", "lone": "\ufffd", "pair": "\U0001f600"}
