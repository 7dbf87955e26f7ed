"""From the words of a command line to a running simulator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.simulator.model import Source
from audio_extract_dagster.simulator.replay import Replay
from audio_extract_dagster.simulator.simulator import Simulator
from audio_extract_dagster.simulator.switches import Switches, parse_switch
from audio_extract_dagster.simulator.world import World


def serve(  # noqa: PLR0913 - one argument for each option of the command line
    *,
    port: int = 0,
    seed: int | str = 1,
    calls_per_day: int = 120,
    timezone: str = "America/Lima",
    replay: Path | str | None = None,
    client_id: str | None = None,
    client_secret: str | None = None,
    switches: Sequence[str] = (),
    hostile_ids: bool = False,
    clock: Clock | None = None,
) -> Simulator:
    """A started simulator of a made-up org, or of the folder `replay`.

    `switches` are texts of the form `name=value`. Raises `InvalidSwitch` or `NothingToReplay`, and
    `OSError` when the port is taken.
    """
    settings = Switches()
    settings.update(dict(parse_switch(text) for text in switches))
    source: Source
    if replay is not None:
        source = Replay(replay, timezone)
    else:
        source = World(seed, calls_per_day, timezone, hostile_ids=hostile_ids)
    simulator = Simulator(
        source,
        clock=clock,
        client_id=client_id,
        client_secret=client_secret,
        port=port,
        switches=settings,
    )
    return simulator.start()
