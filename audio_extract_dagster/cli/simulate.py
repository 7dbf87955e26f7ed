"""`audio-extract simulate`: Genesys Cloud on loopback."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click


@click.command("simulate")
@click.option("--port", type=click.IntRange(0, 65535), required=True, help="0 takes a free one.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, other calls.")
@click.option("--calls-per-day", type=click.IntRange(0), default=120, show_default=True)
@click.option(
    "--replay",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Serve the conversations (*.json) and audio files below this folder instead.",
)
@click.option("--client-id", help="Refuse every other client id.")
@click.option("--client-secret", help="Refuse every other secret.")
@click.option("--set", "switches", multiple=True, metavar="NAME=VALUE", help="Turn a switch.")
def command(
    port: int,
    seed: int,
    calls_per_day: int,
    replay: Path | None,
    client_id: str | None,
    client_secret: str | None,
    switches: tuple[str, ...],
) -> None:
    """Serve the Genesys Cloud API, login included, on http://127.0.0.1:PORT until stopped."""
    from audio_extract_dagster.simulator import InvalidSwitch, NothingToReplay, serve

    try:
        simulator = serve(
            port=port,
            seed=seed,
            calls_per_day=calls_per_day,
            replay=replay,
            client_id=client_id,
            client_secret=client_secret,
            switches=switches,
        )
    except (InvalidSwitch, NothingToReplay, ValueError) as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"Port {port} cannot be used: {error.strerror}.") from None
    with simulator:
        click.echo(f"Genesys Cloud simulator on {simulator.url} (login and API). Ctrl-C stops it.")
        stop = threading.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: stop.set())
        # Short waits, because on Windows a wait without end cannot be interrupted.
        while not stop.wait(0.5):
            pass
