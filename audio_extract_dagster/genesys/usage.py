"""What the client has asked of Genesys and how long it waited, counted as it happens."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Wait = Literal["budget", "rate_limit", "retry"]


@dataclass(frozen=True)
class Usage:
    """A client's life up to one moment. Repeats count as requests; waits are seconds.

    `budget_wait`: for the project's own budget of requests. `rate_limit_wait`: because Genesys said
    429. `retry_wait`: after a fault, before the next try.
    """

    requests: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    budget_wait: float = 0.0
    rate_limit_wait: float = 0.0
    retry_wait: float = 0.0

    @property
    def total(self) -> int:
        """Requests of all operations together."""
        return sum(self.requests.values())


class UsageMeter:
    """Counts; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[str] = Counter()
        self._seconds: dict[Wait, float] = {"budget": 0.0, "rate_limit": 0.0, "retry": 0.0}

    def sent(self, operation: str) -> None:
        with self._lock:
            self._requests[operation] += 1

    def waited(self, wait: Wait, seconds: float) -> None:
        with self._lock:
            self._seconds[wait] += seconds

    def snapshot(self) -> Usage:
        with self._lock:
            return Usage(
                requests=MappingProxyType(dict(self._requests)),
                budget_wait=self._seconds["budget"],
                rate_limit_wait=self._seconds["rate_limit"],
                retry_wait=self._seconds["retry"],
            )
