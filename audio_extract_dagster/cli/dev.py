"""`audio-extract dev`: the Dagster UI, with the embedded services where nothing is configured."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import click


@click.command("dev")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def command(host: str, port: int) -> None:
    """Open the Dagster UI and its daemon on the data of `audio-extract demo`."""
    from audio_extract_dagster.cli.demo import use_embedded
    from audio_extract_dagster.cli.instance import ready_settings

    use_embedded(ignore_environment=False)
    os.environ.setdefault("DAGSTER_UI_URL", f"http://{host}:{port}")
    ready_settings()
    click.echo(f"Dagster UI: http://{host}:{port}")
    arguments = ["dev", "-m", "audio_extract_dagster.definitions", "-h", host, "-p", str(port)]
    sys.exit(_run([sys.executable, "-m", "dagster", *arguments]))


def _run(command_line: list[str]) -> int:
    """Run a child until it ends; a signal to us stops it, and it has time to stop its own."""
    # Dagster lets .env in its working folder win over the environment, which is complete by now.
    folder = os.environ["DAGSTER_HOME"]
    child = subprocess.Popen(command_line, cwd=folder)  # noqa: S603 - our own interpreter
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: child.terminate())
    return child.wait()
