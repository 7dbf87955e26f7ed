"""Every SQL statement of the documents is run by PostgreSQL, on the tables as they are."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from audio_extract_dagster_tests.documents import ROOT, fences
from audio_extract_dagster_tests.postgres import Server

BLOCKS = [
    pytest.param(fence.text, id=f"{path.name}-{number}")
    for path in sorted(ROOT.glob("docs/**/*.md"))
    for number, fence in enumerate(fences(path.read_text(encoding="utf-8")))
    if fence.language == "sql"
]


def run(engine: Engine, statements: str) -> None:
    """Everything in one transaction, undone at the end."""
    named = statements.replace("contact_centre", str(engine.url.database))
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE ROLE the_role")
        connection.exec_driver_sql(named)
        connection.rollback()


@pytest.mark.parametrize("block", BLOCKS)
def test_statements_run_as_written(postgres_server: Server, block: str) -> None:
    # What makes the schema is for a database that does not have it yet.
    template = ("template0",) if "CREATE SCHEMA" in block else ()
    with postgres_server.database(*template) as made:
        run(made.engine, block)


def test_there_are_statements() -> None:
    assert len(BLOCKS) >= 6
