"""`audio-extract demo`: the last business day out of the simulator, on this machine alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from audio_extract_dagster.settings import Settings, environment_of


def use_embedded(*, ignore_environment: bool) -> None:
    """Have this process and its children work with the embedded services."""
    if ignore_environment:
        # Empty means not set and, unlike a variable that is not there, hides what .env says: the
        # demo must not reach anybody's database or bucket.
        os.environ.update({name.upper(): "" for name in Settings.model_fields})
    os.environ["DEV_MODE"] = "True"


@click.command("demo")
def command() -> None:
    """Extract the last business day of a simulated contact centre; needs no configuration."""
    elsewhere = bool(environment_of(Path.cwd()).get("PG_HOST"))
    use_embedded(ignore_environment=True)
    from audio_extract_dagster.cli.instance import ready_settings
    from audio_extract_dagster.cli.run import choose_day, run_day

    settings = ready_settings()
    code = run_day(settings, choose_day(settings, None))
    click.echo(
        "\nThe audio is in data/audio, the message in data/messages. To see the run, the lineage "
        "and the partitions:\n\n    audio-extract dev     (or: make dev)\n"
    )
    if elsewhere:
        click.echo("PG_HOST is set: `dev` opens that database. Have the demo in another folder.")
    sys.exit(code)
