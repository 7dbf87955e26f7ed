"""Taking turns at the disk, or at a hash: one download at a time, while that goes quickly.

What is written where is not its business. Why turns are quicker than all at once is decision 27.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from audio_extract_dagster.clock import Clock

# Hashing half a megabyte or handing it to a healthy disk takes a thousandth of a second. Longer
# than this takes a disk or share that waits for something else: others need not wait with it.
_LONG_SECONDS = 0.02


class Turns:
    """Lets one thread after another do its work; all at once while the last piece took long.

    Safe for threads.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._waiting_helps = True

    def take(self, work: Callable[[memoryview], object], piece: memoryview) -> None:
        """Do `work` with `piece`; what it raises is raised."""
        if self._waiting_helps:
            with self._turn:
                # Whoever had the turn before may just have found that it does not.
                if self._waiting_helps:
                    self._do(work, piece)
                    return
        self._do(work, piece)

    def _do(self, work: Callable[[memoryview], object], piece: memoryview) -> None:
        started = self._clock.monotonic()
        try:
            work(piece)
        finally:
            self._waiting_helps = self._clock.monotonic() - started < _LONG_SECONDS
