"""An embedded PostgreSQL to start, and a statement for it, in a line of a test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from audio_extract_dagster.database.connection import PostgresSettings
from audio_extract_dagster.embedded.postgres import EmbeddedPostgres
from audio_extract_dagster_tests.postgres import system_programs

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="as Linux alone does it")


def embedded(folder: Path, **options: str) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, bin_folder=system_programs(), options=options)


def execute(settings: PostgresSettings, statement: str) -> object:
    engine = create_engine(settings.url())
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()
