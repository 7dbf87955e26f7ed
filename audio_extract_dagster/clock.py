"""Time as a dependency: what needs the time or a pause takes a `Clock`.

Production passes `SystemClock`; tests pass one that jumps, so that no test ever waits.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from and how to wait for it. Implementations are safe for threads."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards, from an arbitrary start."""

    def sleep(self, seconds: float) -> None:
        """Wait; zero or less returns at once."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for the event, so long at most; returns whether it has come."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(seconds)


class CountedPauses:
    """Another clock, and how long was slept by it in all. For one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seconds = 0.0

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)
        self.seconds += max(0.0, seconds)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        started = self.monotonic()
        try:
            return self._clock.wait(event, seconds)
        finally:
            self.seconds += self.monotonic() - started
