"""How many requests may leave in a minute, and when the next one may.

Genesys counts requests per token (300 a minute), so every request of the project, the login too,
takes its turn at one `RequestBudget`. Waiting after a fault or a 429 is `patience.py`'s business.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from audio_extract_dagster.clock import Clock

WINDOW = 61.0
"""Seconds in which no more than the limit leave. Genesys counts 60, and counts where requests
arrive: of two, the second may have been up to a second quicker on its way."""


_FARTHEST = 900.0
"""Seconds. Nobody books further ahead (it takes thousands of callers) or asks for longer quiet."""


class RequestBudget(Protocol):
    """A right to send requests that all who send them share. Implementations are thread-safe."""

    def acquire(self) -> float:
        """Wait for the next turn, take it, and say how many seconds that took."""

    def back_off(self, seconds: float) -> None:
        """Genesys wants quiet: nobody's turn comes before `seconds` from now."""


@dataclass
class Pace:
    """When turns were taken and when the next may be, as plain data. Times are seconds.

    Turns are booked in the order in which they are asked for, also ahead of time. In any `WINDOW`
    there are at most `per_minute` of them, and a busy caller gets all of them. They are spread
    evenly, but for a burst of 3 seconds' worth after a lull: a bucket of that size fills at the
    mean rate, and the times of the last `per_minute` turns keep burst and rate together from
    passing the limit of any window, wherever the server's own minute begins.
    """

    per_minute: int
    taken: list[float] = field(default_factory=list)
    due: float = 0.0
    quiet_until: float = 0.0

    def book(self, now: float) -> float:
        """Take the next turn that nobody has, and return when it comes: `now` or later."""
        if self.is_of_another_time(now):
            # What was spent in this minute is not known: nothing of it is left.
            self.taken, self.due, self.quiet_until = [now] * self.per_minute, now, now
        interval = WINDOW / self.per_minute
        slack = interval * (max(1, self.per_minute // 20) - 1)
        turn = max(now, self.due - slack, self.quiet_until)
        if len(self.taken) >= self.per_minute:
            turn = max(turn, self.taken[-self.per_minute] + WINDOW)
        self.taken = [*self.taken, turn][-self.per_minute :]
        self.due = max(self.due, turn) + interval
        return turn

    def back_off(self, until: float) -> None:
        """No turn comes before `until`; those that are booked for before are void."""
        self.quiet_until = max(self.quiet_until, until)

    def is_of_another_time(self, now: float) -> bool:
        """Whether the clock was set back since turns were booked: they would never come."""
        return max(self.due, self.quiet_until) - now > _FARTHEST

    def is_silenced(self, turn: float) -> bool:
        """Whether quiet was asked for after `turn` was booked: another one must be booked."""
        return turn < self.quiet_until


class LocalBudget:
    """The budget of one process that shares it with no other."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        if per_minute < 1:
            raise ValueError("a budget allows at least one request a minute")
        self._clock = clock
        now = clock.monotonic()
        self._pace = Pace(per_minute, due=now, quiet_until=now)
        self._turn = threading.Lock()  # held by the one who waits for the next turn
        self._state = threading.Lock()

    def acquire(self) -> float:
        asked = self._clock.monotonic()
        with self._turn:
            turn = self._book()
            while (wait := turn - self._clock.monotonic()) > 0:
                self._clock.sleep(wait)
                if self._pace.is_silenced(turn):
                    turn = self._book()
        return self._clock.monotonic() - asked

    def back_off(self, seconds: float) -> None:
        with self._state:
            self._pace.back_off(self._clock.monotonic() + seconds)

    def _book(self) -> float:
        with self._state:
            return self._pace.book(self._clock.monotonic())


def seconds_to_reset(headers: Mapping[str, str]) -> float:
    """How long Genesys's own count says to wait: 0 while requests are left in its window.

    Every API answer carries `inin-ratelimit-count`, `-allowed` and `-reset` (seconds). They also
    count what other programs do with the same OAuth client, which no budget here can know.
    """
    try:
        count = int(headers["inin-ratelimit-count"])
        allowed = int(headers["inin-ratelimit-allowed"])
        reset = int(headers["inin-ratelimit-reset"])
    except (KeyError, ValueError):
        return 0.0
    return float(min(max(reset, 0), WINDOW)) if count >= allowed else 0.0
