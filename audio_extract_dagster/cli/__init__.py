"""The command `audio-extract`: one file for each subcommand, this one only gathers them.

A command that fails prints one message for a person and exits with 1; wrong usage or settings exit
with 2. What a command does is elsewhere; here is what a terminal needs.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import click

from audio_extract_dagster.errors import AudioExtractError
from audio_extract_dagster.settings import SettingsError, environment_of


class Commands(click.Group):
    """Loads a subcommand when it is called, so that `--help` needs neither Dagster nor pandas."""

    _NAMES = ("demo", "dev", "run", "migrate", "doctor", "plan", "verify", "simulate")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._NAMES:
            return None
        from importlib import import_module

        module = import_module(f"audio_extract_dagster.cli.{cmd_name}")
        command: click.Command = module.command
        return command


@click.command(cls=Commands)
@click.version_option(package_name="audio-extract")
def cli() -> None:
    """Call recordings out of Genesys Cloud: every call of every day accounted for."""
    # Dagster and its children read the environment themselves.
    os.environ.update(environment_of(Path.cwd()))
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stderr)


def main() -> None:
    """The entry point: turns our errors into one message and an exit code."""
    try:
        cli(prog_name="audio-extract")
    except SettingsError as error:
        _fail(error, 2)
    except AudioExtractError as error:
        _fail(error, 1)


def _fail(error: AudioExtractError, code: int) -> None:
    click.secho(f"audio-extract: {error}", fg="red", err=True)
    sys.exit(code)
