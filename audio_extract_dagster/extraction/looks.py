"""When to look at a batch that Genesys is preparing, so that few looks are spent and no link dies.

Pure arithmetic on seconds. Genesys takes about three minutes for a batch; looking every ten seconds
would spend more of the request budget than everything else together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from statistics import median

# Look first when most batches are nearly done, then in small steps of the usual time.
_FIRST_LOOK = 0.8
_NEXT_LOOK = 0.15
# While nothing is learnt, the pauses grow up to this many times the shortest one.
_LONGEST_PAUSE = 6
_GROWTH = 1.5
_REMEMBERED = 20


class LookPlan:
    """Learns the usual time of a batch and spaces the looks by it. All figures are seconds.

    `shortest`: the pause before the first look while nothing is learnt, and the shortest between
    two looks. `link_life`: how long a result's link lives; once there are results, no pause is
    longer than half of it. `earlier`: times that earlier batches took.
    """

    def __init__(self, shortest: float, link_life: float, earlier: Iterable[float] = ()) -> None:
        self._shortest = shortest
        self._longest_with_results = link_life / 2
        self._times = deque((t for t in earlier if t > 0), maxlen=_REMEMBERED)

    def learn(self, seconds: float) -> None:
        """A batch took this long from its submission until it was seen complete."""
        self._times.append(seconds)

    def first_pause(self) -> float:
        """The pause between the submission and the first look."""
        if not self._times:
            return self._shortest
        return max(self._shortest, _FIRST_LOOK * median(self._times))

    def next_pause(self, looks: int, *, has_results: bool) -> float:
        """The pause after the `looks`-th look."""
        if self._times:
            pause = max(self._shortest, _NEXT_LOOK * median(self._times))
        else:
            growth: float = _GROWTH ** min(looks, 10)
            pause = self._shortest * min(growth, _LONGEST_PAUSE)
        return min(pause, self._longest_with_results) if has_results else pause
