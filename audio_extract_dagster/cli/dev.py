"""`audio-extract dev`: the Dagster UI, with the embedded services where nothing is configured."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click

# The location has the same name as in the project's own workspace.yaml, whoever starts Dagster.
_WORKSPACE = """\
load_from:
  - python_module:
      module_name: audio_extract_dagster.definitions
      location_name: audio_extract
"""


@click.command("dev")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def command(host: str, port: int) -> None:
    """Open the Dagster UI and its daemon; what is not configured is that of the demo."""
    from audio_extract_dagster.cli.demo import use_embedded
    from audio_extract_dagster.cli.instance import ready_settings

    _refuse_taken(host, port)
    use_embedded(ignore_environment=False)
    os.environ.setdefault("DAGSTER_UI_URL", f"http://{host}:{port}")
    ready_settings()
    click.echo(f"Dagster UI: http://{host}:{port}")
    workspace = Path(os.environ["DAGSTER_HOME"]) / "workspace.yaml"
    workspace.write_text(_WORKSPACE, encoding="utf-8")
    arguments = ["dev", "-w", str(workspace), "-h", host, "-p", str(port)]
    sys.exit(_run([sys.executable, "-m", "dagster", *arguments]))


def _refuse_taken(host: str, port: int) -> None:
    """Dagster would log the error of its web server and go on without it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        why = str(error.strerror).partition(" (while")[0]  # Python repeats the address
        raise click.ClickException(
            f"{host}:{port} cannot be listened on ({why}). Choose others with --host and --port."
        ) from None


def _run(command_line: list[str]) -> int:
    """Run Dagster until it ends; a signal to us stops it, and it has time to stop its own.

    It is told once, and only by us: a second interrupt breaks off its stopping and leaves its
    servers behind.
    """
    from audio_extract_dagster.embedded.children import ends_with_us

    child: subprocess.Popen[bytes] | None = None
    told = False

    def stop(*_: object) -> None:
        nonlocal told
        # On Windows the console tells each process by itself.
        if child is not None and not told and sys.platform != "win32":
            told = True
            child.send_signal(signal.SIGINT)

    # Before the child starts: it inherits a signal that is ignored, as in a script's background
    # job, and Dagster would then never stop.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    # Dagster lets .env in its working folder win over the environment, which is complete by now.
    home, ours = os.environ["DAGSTER_HOME"], ends_with_us()
    # A session of its own: Ctrl-C in the terminal is for us.
    child = subprocess.Popen(command_line, cwd=home, start_new_session=True, **ours)  # noqa: S603
    code = child.wait()
    if sys.platform != "win32":
        with suppress(ProcessLookupError):  # nothing is left of it
            os.killpg(child.pid, signal.SIGTERM)
    return code
