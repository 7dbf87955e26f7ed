"""How patient the client is: every time-out, pause and limit of it, as data.

What is done with these numbers is in `patience.py` (repeating), `transport.py` (time-outs) and
`login.py` (renewal). How many requests a minute may leave is a setting, see `pacing.py`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """Times are seconds. The defaults follow the vendor's own retry advice.

    Genesys documents 3 s as the pause after a 429 without `Retry-After`, and its Java SDK gives up
    on a `Retry-After` of more than 180 s: that is a used-up quota, and waiting in line for hours
    helps nobody.
    """

    connect_timeout: float = 10.0
    """For a connection to be made."""
    read_timeout: float = 60.0
    """Without a byte from the server."""

    tries: int = 5
    """Of one call, when the network or the server fails: the first and four repeats."""
    first_pause: float = 3.0
    """After the first failed try; each later pause doubles."""
    longest_pause: float = 60.0
    """Where the doubling ends."""
    jitter: float = 0.25
    """Up to this share is added to a pause, so that callers who failed together come back apart."""

    shortest_wait: float = 1.0
    """For `Retry-After: 0` and dates that are over: never hammer a server that says stop."""
    longest_wait: float = 180.0
    """A server that asks for a longer wait than this is not waited for."""
    longest_total_wait: float = 600.0
    """All pauses of one call together, whatever they were for."""

    token_share: float = 0.9
    """A token is renewed when this share of its life is over."""

    def pause(self, failures: int, rng: random.Random) -> float:
        """The pause after the `failures`-th failure (1, 2, …) of a call."""
        doubled = self.first_pause * 2.0 ** min(failures - 1, 30)
        return min(doubled, self.longest_pause) * (1.0 + self.jitter * rng.random())


DEFAULT_POLICY = RetryPolicy()
IMPATIENT_POLICY = RetryPolicy(tries=1, longest_wait=10.0)
"""For somebody who waits at a terminal for the answer, whatever it is."""
