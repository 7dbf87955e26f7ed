"""How long one call is repeated, and how long it waits in between.

The numbers are `policy.py`'s. Which faults may be repeated at all is decided in `exchange.py`.
"""

from __future__ import annotations

import logging
import random
from datetime import timedelta

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.genesys.errors import GenesysError, RateLimited
from audio_extract_dagster.genesys.pacing import RequestBudget
from audio_extract_dagster.genesys.policy import RetryPolicy
from audio_extract_dagster.genesys.usage import UsageMeter, Wait

_log = logging.getLogger(__name__)

_ASKS_TOO_LONG = "the server asks to wait longer than a call waits"
_STILL_LIMITED = "still rate limited after the longest time that a call waits"


class Patience:
    """What one call has spent of the policy. Each method pauses, or raises when it is used up."""

    def __init__(
        self,
        policy: RetryPolicy,
        budget: RequestBudget,
        clock: Clock,
        rng: random.Random,
        meter: UsageMeter,
    ) -> None:
        self._policy = policy
        self._budget = budget
        self._clock = clock
        self._rng = rng
        self._meter = meter
        self._faults = 0
        self._limits = 0
        self._waited = 0.0

    def after_fault(self, fault: GenesysError) -> None:
        """A try is spent: pause, at least as long as Genesys asks, or raise `fault`."""
        self._faults += 1
        asked = fault.retry_after or 0.0
        if asked > self._policy.longest_wait:
            raise self._not_yet(_ASKS_TOO_LONG, fault, asked)
        pause = max(asked, self._policy.pause(self._faults, self._rng))
        if self._faults == self._policy.tries or not self._may_wait(pause):
            raise self._spent(fault)
        self._pause("retry", pause, fault)

    def after_rate_limit(self, limit: RateLimited) -> None:
        """No try is spent: wait as long as Genesys asks, all callers together, or raise."""
        self._limits += 1
        wait = limit.retry_after
        if wait is None:
            wait = self._policy.pause(self._limits, self._rng)
        wait = max(wait, self._policy.shortest_wait)
        if wait > self._policy.longest_wait:
            raise self._not_yet(_ASKS_TOO_LONG, limit, wait)
        if not self._may_wait(wait):
            raise self._not_yet(_STILL_LIMITED, limit, wait)
        self._budget.back_off(wait)
        self._pause("rate_limit", wait, limit)

    def _may_wait(self, seconds: float) -> bool:
        return self._waited + seconds <= self._policy.longest_total_wait

    def _pause(self, wait: Wait, seconds: float, error: GenesysError) -> None:
        _log.warning("%s; next try in %.1f s", error.summary, seconds)
        self._clock.sleep(seconds)
        self._waited += seconds
        self._meter.waited(wait, seconds)

    def _not_yet(self, what: str, error: GenesysError, seconds: float) -> GenesysError:
        """A wait beyond the policy is a matter of time, whichever status asked for it."""
        limit = error.as_a(RateLimited, what)
        limit.retry_after = seconds
        limit.retry_at = self._clock.now() + timedelta(seconds=min(seconds, 1e9))
        return self._spent(limit)

    def _spent(self, error: GenesysError) -> GenesysError:
        error.tries = self._faults + self._limits
        error.waited = self._waited
        return error
