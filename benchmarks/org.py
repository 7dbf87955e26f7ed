"""An org whose calls cost next to nothing to make, so that what is measured is not the simulator.

The stories are those of `simulator.World`, a few built once; a day repeats them under other ids and
at other times. `python -m benchmarks.org --calls 10000 --set audio_bytes=300000` serves it on
loopback, prints its URL and ends with its standard input.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cache

import click

from audio_extract_dagster.simulator import (
    Conversation,
    Queue,
    Recording,
    Simulator,
    Switches,
    World,
    parse_switch,
)
from audio_extract_dagster.simulator.model import Slot, iso, milliseconds

DAY = date(2026, 3, 10)
"""A Tuesday, long over."""

_TEMPLATES = 200
_LONGEST_MS = 3_600_000
_PLAIN = ("audio", "AVAILABLE", 1)


class RepeatingOrg:
    """A `simulator.Source` with `calls` calls on one day and nothing on any other.

    Each call has an agent and one recording, so that calls, recordings and files are one number.
    """

    def __init__(self, calls: int, timezone: str = "America/Lima") -> None:
        self._calls = calls
        self._world = World(1, 3000, timezone)
        self._midnight = milliseconds(datetime.combine(DAY, time(), self._world.timezone))
        self._templates = [
            call
            for call in self._world.conversations(DAY - timedelta(days=1))
            if call.has_agent
            and call.end_ms is not None
            and call.end_ms - call.start_ms < _LONGEST_MS
            and [(r.media, r.state, r.parts) for r in call.recordings]
            == [("audio", "AVAILABLE", 1)]
        ][:_TEMPLATES]

    @property
    def queues(self) -> Sequence[Queue]:
        return self._world.queues

    @property
    def users(self) -> Sequence[tuple[str, str]]:
        return self._world.users

    def started(self, first_ms: int, before_ms: int) -> Sequence[Slot]:
        return [slot for slot in self.on_day(DAY) if first_ms <= slot.start_ms < before_ms]

    def on_day(self, day: date) -> Sequence[Slot]:
        return self._slots() if day == DAY else []

    def build(self, slot: Slot) -> Conversation:
        template = self._templates[slot.serial % len(self._templates)]
        length = (template.end_ms or 0) - template.start_ms
        conversation_id = f"{slot.serial:08x}-0000-4000-8000-000000000000"
        payload = {
            **template.payload,
            "conversationId": conversation_id,
            "conversationStart": iso(slot.start_ms),
            "conversationEnd": iso(slot.start_ms + length),
        }
        recording = replace(
            template.recordings[0], id=f"{slot.serial:08x}-0000-4000-9000-000000000000"
        )
        end_ms = slot.start_ms + length
        return Conversation(
            conversation_id, template.story, slot.start_ms, end_ms, payload, (recording,)
        )

    def find(self, conversation_id: str) -> Conversation | None:
        serial = int(conversation_id.partition("-")[0], 16)
        return self.build(self._by_serial(serial)) if serial < self._calls else None

    def content(self, recording: Recording, part: int) -> bytes:
        return self._world.content(recording, part)

    def _by_serial(self, serial: int) -> Slot:
        # Ten hours are filled evenly, so that serial numbers are in the order of the day.
        start = self._midnight + 36_000_000 + serial * 36_000_000 // self._calls
        return Slot(start, DAY.toordinal(), serial)

    @cache  # noqa: B019 - one org a process
    def _slots(self) -> Sequence[Slot]:
        return [self._by_serial(serial) for serial in range(self._calls)]


@click.command(help=__doc__)
@click.option("--calls", type=click.IntRange(0), default=1000, show_default=True)
@click.option("--set", "switches", multiple=True, metavar="NAME=VALUE", help="Turn a switch.")
def main(calls: int, switches: tuple[str, ...]) -> None:
    knobs = Switches(rate_limit=1_000_000_000, batch_seconds=0.0)
    knobs.update(dict(parse_switch(text) for text in switches))
    with Simulator(RepeatingOrg(calls), switches=knobs) as simulator:
        click.echo(simulator.url)
        sys.stdin.read()


if __name__ == "__main__":
    main()
