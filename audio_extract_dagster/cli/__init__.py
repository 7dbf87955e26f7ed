"""The command `audio-extract`: one file for each subcommand, this one only gathers them.

A command that fails prints one message for a person and exits with 1; wrong usage, and for the
commands that start something also wrong settings, exit with 2. What a command does is elsewhere;
here is what a terminal needs.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click

from audio_extract_dagster.errors import AudioExtractError
from audio_extract_dagster.settings import SettingsError, environment_of


class Commands(click.Group):
    """Loads a subcommand when it is called, and turns our errors into one message and a code."""

    _NAMES = ("demo", "dev", "run", "migrate", "doctor", "plan", "verify", "expire", "simulate")
    # These start something: settings that are wrong count as wrong usage. The others report.
    _STARTING = ("demo", "dev", "run", "simulate")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._NAMES:
            return None
        from importlib import import_module

        module = import_module(f"audio_extract_dagster.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            fail(error, 2 if ctx.invoked_subcommand in self._STARTING else 1)
        except AudioExtractError as error:
            fail(error, 1)


@click.command(cls=Commands)
@click.version_option(package_name="audio-extract")
def cli() -> None:
    """Call recordings out of Genesys Cloud: every call of every day accounted for."""
    # Dagster and its children read the environment themselves.
    os.environ.update(environment_of(Path.cwd()))
    # A command says at its end what went wrong; LOG_LEVEL asks for more on the way.
    level = os.environ.get("LOG_LEVEL", "").upper()
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.ERROR)
    with suppress(ValueError):  # a wrong level is reported with all other settings
        logging.getLogger("audio_extract_dagster").setLevel(level or logging.ERROR)
    if not level:
        # What a message to the log says of a day, the command has just printed.
        logging.getLogger("audio_extract_dagster.notify.gateway").addFilter(lambda _: False)
        # A signal may come while a connection is given back: it is dropped then, and no fault.
        logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)


def main() -> None:
    """The entry point."""
    try:
        cli(prog_name="audio-extract")
    finally:
        # At its end the interpreter looks for garbage among all objects, for a second after a run.
        gc.freeze()


def fail(error: AudioExtractError, code: int) -> NoReturn:
    """One message for a person, and the end."""
    click.secho(f"audio-extract: {error}", fg="red", err=True)
    sys.exit(code)
