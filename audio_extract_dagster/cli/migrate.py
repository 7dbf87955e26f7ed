"""`audio-extract migrate`: create or upgrade the tables."""

from __future__ import annotations

import click

from audio_extract_dagster.startup import postgres_settings, uses_embedded_database


@click.command("migrate")
def command() -> None:
    """Create or upgrade the schema; does nothing when it is current."""
    from audio_extract_dagster.cli.instance import ready_database

    embedded = uses_embedded_database()
    settings = postgres_settings()
    ready_database(settings, embedded=embedded)
    click.echo(f"Schema {settings.pg_schema} of database {settings.pg_database} is up to date.")
