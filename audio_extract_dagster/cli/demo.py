"""`audio-extract demo`: the last business day out of the simulator, on this machine alone."""

from __future__ import annotations

import os
import sys

import click

# Whatever the environment says, the demo touches nothing but the embedded services.
_FOREIGN = ("PG_", "GENESYS_", "NOTIFY_URL", "EMAILS", "AUDIO_STORAGE_URI", "DAGSTER_HOME")


def use_embedded(*, ignore_environment: bool) -> None:
    """Have this process and its children work with the embedded services."""
    if ignore_environment:
        for name in [name for name in os.environ if name.startswith(_FOREIGN)]:
            del os.environ[name]
    os.environ["DEV_MODE"] = "True"
    # The simulator prepares a batch in about a second.
    os.environ.setdefault("GENESYS_POLL_SECONDS", "0.5")


@click.command("demo")
def command() -> None:
    """Extract the last business day of a simulated contact centre; needs no configuration."""
    use_embedded(ignore_environment=True)
    from audio_extract_dagster.cli.instance import ready_settings
    from audio_extract_dagster.cli.run import choose_day, run_day

    settings = ready_settings()
    code = run_day(settings, choose_day(settings, None))
    click.echo(
        "\nThe audio is in data/audio, the message in data/messages. To see the run, the lineage "
        "and the partitions:\n\n    audio-extract dev     (or: make dev)\n"
    )
    sys.exit(code)
