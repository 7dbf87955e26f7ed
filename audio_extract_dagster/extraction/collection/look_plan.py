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
# Of a link's life, the longest pause before results are seen and after: a link may live since the
# last look, and what is left must do for fetching the file.
_UNSEEN, _SEEN = 0.75, 0.5


class LookPlan:
    """Learns the usual time of a batch and spaces the looks by it. All figures are seconds.

    `shortest`: the pause before the first look while nothing is learnt, and the shortest between
    two looks. `link_life`: how long a result's link lives; no pause lets a link die unseen, and
    once there are results none is longer than half of it. `earlier`: times that earlier batches
    took.
    """

    def __init__(self, shortest: float, link_life: float, earlier: Iterable[float] = ()) -> None:
        self._shortest = shortest
        self._link_life = link_life
        self._times = deque((t for t in earlier if t > 0), maxlen=_REMEMBERED)

    def learn(self, seconds: float, *, late: float = 0.0) -> None:
        """A batch took this long, from its submission until the look that found it complete.

        `late`: how long after its time that look was made. It says something of us, not of Genesys:
        learnt from, it would put off the next looks.
        """
        self._times.append(max(0.0, seconds - max(0.0, late)))

    def first_pause(self) -> float:
        """The pause between the submission and the first look."""
        if not self._times:
            return min(self._shortest, _UNSEEN * self._link_life)
        return min(
            max(self._shortest, _FIRST_LOOK * median(self._times)), _UNSEEN * self._link_life
        )

    def next_pause(self, looks: int, *, has_results: bool) -> float:
        """The pause after the `looks`-th look."""
        if self._times:
            pause = max(self._shortest, _NEXT_LOOK * median(self._times))
        else:
            growth: float = _GROWTH ** min(looks, 10)
            pause = self._shortest * min(growth, _LONGEST_PAUSE)
        return min(pause, (_SEEN if has_results else _UNSEEN) * self._link_life)
