"""Bringing the schema up to date, once, whoever asks for it first.

The steps themselves are in `migrations/`; this is the lock, the transaction and the errors around
them.
"""

from __future__ import annotations

import logging

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, exc, text
from sqlalchemy.schema import CreateSchema, SetColumnComment, SetTableComment

from audio_extract_dagster.database.connection import (
    DatabaseRefused,
    DatabaseUnavailable,
    reading,
    sql_state,
    writing,
)
from audio_extract_dagster.database.locks import advisory_key
from audio_extract_dagster.database.tables import metadata

_log = logging.getLogger(__name__)

VERSION_TABLE = "audio_extract_version"


def migrate(engine: Engine, schema: str, *, lock_seconds: float = 60) -> None:
    """Create the schema if it is absent and apply the steps that are missing. Repeating is free.

    All in one transaction under an advisory lock: of several processes one does the work and the
    others find it done; a step that fails leaves nothing behind. `engine` sees `schema` first in
    its `search_path` (`open_engine`).

    A schema that is newer than this program is left as it is and works: while a new version is
    rolled out, the one before goes on beside it.

    Raises `DatabaseRefused` when the role lacks a permission (with the SQL that grants it) or the
    version is not one of ours, `DatabaseUnavailable` when the lock, or a table that is in use, is
    not free within `lock_seconds`.
    """
    if schema_is_current(engine):
        return
    with writing(engine) as connection:
        _take_lock(connection, schema, lock_seconds)
        _create_schema(connection, schema)
        if _current(connection):
            return  # another process did it while this one waited
        before = _version(connection) or "nothing"
        _upgrade(connection, schema)
        _write_comments(connection)
        _log.info("Schema %s upgraded from %s to %s.", schema, before, _version(connection))


def schema_is_current(engine: Engine) -> bool:
    """Whether no step is missing; a schema that is newer than the program has them all.

    Raises as `database_errors` does when the database cannot be asked.
    """
    with reading(engine) as connection:
        return _current(connection)


def _current(connection: Connection) -> bool:
    version, head = _version(connection), _scripts().get_current_head() or ""
    # Steps are numbered and only add. One that takes something away comes a release after the last
    # program that used it.
    newer = version is not None and _is_number(version) and version > head
    if newer:
        _log.info("The schema is at %s, newer than this program (%s).", version, head)
    return newer or version == head


def _is_number(version: str) -> bool:
    return len(version) == 4 and version.isascii() and version.isdigit()


def _version(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    # By package, not by path: it works from an installed wheel, and in a folder named `100%`.
    config.set_main_option("script_location", "audio_extract_dagster.database:migrations")
    return config


def _take_lock(connection: Connection, schema: str, seconds: float) -> None:
    # Also bounds the waits for tables: a step behind a long read must not hold up everybody else.
    connection.execute(
        text("SELECT set_config('lock_timeout', :limit, true)"),
        {"limit": f"{int(seconds * 1000)}ms"},
    )
    try:
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:key)"), {"key": advisory_key("migrate", schema)}
        )
    except exc.OperationalError as error:
        if sql_state(error) == "55P03":
            raise DatabaseUnavailable(
                f"Another process has been migrating schema {schema} for more than "
                f"{seconds:g} s. Try again when it is done."
            ) from None
        raise


def _create_schema(connection: Connection, schema: str) -> None:
    exists = connection.scalar(
        text("SELECT 1 FROM pg_namespace WHERE nspname = :schema"), {"schema": schema}
    )
    user = connection.scalar(text("SELECT quote_ident(current_user)"))
    name = connection.dialect.identifier_preparer.quote_schema(schema)
    if exists:
        allowed = (
            "SELECT has_schema_privilege(:schema, 'USAGE')"
            " AND has_schema_privilege(:schema, 'CREATE')"
        )
        remedy = f"GRANT USAGE, CREATE ON SCHEMA {name} TO {user};"
    else:
        allowed = "SELECT has_database_privilege(current_database(), 'CREATE')"
        remedy = f"CREATE SCHEMA {name} AUTHORIZATION {user};"
    if not connection.scalar(text(allowed), {"schema": schema} if exists else {}):
        raise DatabaseRefused(
            f"PG_USER {user} may not {'create tables in' if exists else 'create'} the schema "
            f"{name} (PG_SCHEMA). An administrator must run in this database:  {remedy}"
        )
    if not exists:
        connection.execute(CreateSchema(schema))


def _upgrade(connection: Connection, schema: str) -> None:
    version = _version(connection)
    known = {script.revision for script in _scripts().walk_revisions()}
    if version is not None and version not in known:
        raise DatabaseRefused(
            f"The schema {schema} is at version {version}, which is none of this project's. Name "
            "another schema in PG_SCHEMA."
        )
    config = _config()
    config.attributes["migration_context"] = {
        "connection": connection,
        "version_table": VERSION_TABLE,
    }
    command.upgrade(config, "head")


def _write_comments(connection: Connection) -> None:
    """The data dictionary, for whoever looks at the tables with a client of their own."""
    for table in metadata.sorted_tables:
        connection.execute(SetTableComment(table))
        for column in table.columns:
            connection.execute(SetColumnComment(column))
