"""`audio-extract migrate`: create or upgrade the tables."""

from __future__ import annotations

import os

import click

from audio_extract_dagster.settings import POSTGRES, read_settings


@click.command("migrate")
def command() -> None:
    """Create or upgrade the schema; does nothing when it is current."""
    from audio_extract_dagster.cli.instance import ready_database
    from audio_extract_dagster.embedded.environment import embedded_variables

    settings = read_settings(os.environ)
    if settings.dev_mode:
        os.environ.update(embedded_variables(settings))
    settings = read_settings(os.environ, require=POSTGRES)
    ready_database(settings)
    click.echo(f"Schema {settings.pg_schema} of database {settings.pg_database} is up to date.")
