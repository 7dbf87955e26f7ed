"""From every released schema to this one, rows included; and this program on the next one.

`released/NUMBER.sql` is the schema as that version left it in databases, frozen, with a row of each
kind. The step that is not released yet, the newest, needs none.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from audio_extract_dagster.database import migrations
from audio_extract_dagster.database.migrate import VERSION_TABLE, migrate, schema_is_current
from audio_extract_dagster_tests.database.test_migrate import SCHEMA, catalogue, run
from audio_extract_dagster_tests.postgres import Database, Server

RELEASED = sorted((Path(__file__).parent / "released").glob("*.sql"))


@pytest.fixture
def empty(postgres_server: Server) -> Iterator[Database]:
    with postgres_server.database("template0") as database:
        yield database


def contents(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, as PostgreSQL writes it in JSON, so that types do not matter."""
    with engine.connect() as connection:
        return {
            table: list(connection.execute(text(f"SELECT to_jsonb(t) FROM {table} t")).scalars())
            for table in inspect(connection).get_table_names()
            if table != VERSION_TABLE
        }


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_a_released_schema_becomes_this_one_and_keeps_its_rows(
    released: Path, empty: Database, database: Database
) -> None:
    run(empty.engine, f"CREATE SCHEMA {SCHEMA}")
    with empty.engine.begin() as connection:
        connection.exec_driver_sql(released.read_text(encoding="utf-8"))
    before = contents(empty.engine)
    assert all(before.values()), "a table without a row proves nothing"

    migrate(empty.engine, SCHEMA)

    assert schema_is_current(empty.engine)
    after = contents(empty.engine)
    for table, rows in before.items():
        for old, new in zip(rows, after[table], strict=True):
            old.pop("call_was_open", None)  # has another name now; the next test tells of it
            assert new.items() >= old.items(), f"{table} lost or changed something"
    with empty.engine.connect() as upgraded, database.engine.connect() as made:
        assert catalogue(upgraded) == catalogue(made)


@pytest.mark.parametrize(("version", "may_have_more"), [(1, ["r-3"]), (2, ["r-3", "r-4"])])
def test_what_a_call_has_that_is_still_open_says_so_after_the_upgrade(
    empty: Database, version: int, may_have_more: list[str]
) -> None:
    run(empty.engine, f"CREATE SCHEMA {SCHEMA}")
    with empty.engine.begin() as connection:
        connection.exec_driver_sql((RELEASED[version]).read_text(encoding="utf-8"))
    migrate(empty.engine, SCHEMA)
    with empty.engine.connect() as connection:
        query = text("SELECT recording_id FROM audio_records WHERE may_have_more ORDER BY 1")
        assert list(connection.execute(query).scalars()) == may_have_more


def test_every_step_before_the_newest_is_frozen() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    numbers = {script.revision for script in scripts.walk_revisions()}
    assert numbers - {scripts.get_current_head()} <= {path.stem for path in RELEASED}
