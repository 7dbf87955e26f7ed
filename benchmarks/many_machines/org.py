"""The contact centre of the experiment, as a simulator that remembers when each request came."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left

from audio_extract_dagster.simulator import Simulator, Switches, World
from audio_extract_dagster.simulator.messages import Reply, Request
from audio_extract_dagster.simulator.routes import find

_WINDOW = 60.0


class PunctualSimulator(Simulator):
    """A simulator with the arrival time of every request that counts against the budget."""

    def __init__(self, world: World, switches: Switches) -> None:
        super().__init__(world, switches=switches)
        self._writing = threading.Lock()
        self._arrivals: list[float] = []

    def most_in_a_minute(self) -> int:
        """The most requests that came within any 60 seconds, login included, files left out."""
        with self._writing:
            moments = sorted(self._arrivals)
        return max(
            (bisect_left(moments, moment + _WINDOW) - at for at, moment in enumerate(moments)),
            default=0,
        )

    def _answer(self, request: Request) -> Reply:
        found = find(request.method, request.path)
        if found is not None and found.route.operation not in (None, "download"):
            with self._writing:
                self._arrivals.append(time.monotonic())
        return super()._answer(request)


def contact_centre(calls_per_day: int) -> World:
    """The same for the disturbed days and for those that nobody disturbs."""
    return World(seed=11, calls_per_day=calls_per_day)


def switches(batch_seconds: float, latency_ms: float) -> Switches:
    """Nothing that depends on which run asks, or when."""
    return Switches(
        batch_seconds=batch_seconds,
        download_latency_ms=latency_ms,
        # Parts are numbered in the order of the results.
        batch_shuffles=False,
        late_audio_seconds=None,
        audio_bytes=4096,
    )
