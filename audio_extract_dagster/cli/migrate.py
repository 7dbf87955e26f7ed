"""`audio-extract migrate`: create or upgrade the tables."""

from __future__ import annotations

import os

import click

from audio_extract_dagster.settings import POSTGRES, read_settings


@click.command("migrate")
def command() -> None:
    """Create or upgrade the schema; does nothing when it is current."""
    from audio_extract_dagster.database.connection import open_engine
    from audio_extract_dagster.database.migrate import migrate
    from audio_extract_dagster.embedded.environment import embedded_variables

    settings = read_settings(os.environ)
    if settings.dev_mode:
        os.environ.update(embedded_variables(settings))
    settings = read_settings(os.environ, require=POSTGRES)
    engine = open_engine(settings.postgres())
    migrate(engine, settings.pg_schema)
    engine.dispose()
    click.echo(f"Schema {settings.pg_schema} of database {settings.pg_database} is up to date.")
