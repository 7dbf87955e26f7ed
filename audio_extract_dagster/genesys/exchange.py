"""One call, from the request to an answer that was read: paced, logged in, repeated where allowed.

This is the only place that decides what may be sent again. A read may, after any fault. A request
marked `once` may only when Genesys surely did not act on it: 429, 503 with `Retry-After`, a
connection that was never made, or a token that was not accepted.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.errors import AudioExtractError
from audio_extract_dagster.genesys.answers import correlation_id, error_of
from audio_extract_dagster.genesys.errors import (
    LoginRefused,
    RateLimited,
    SubmissionUncertain,
    Unavailable,
    UnreadableAnswer,
)
from audio_extract_dagster.genesys.pacing import RequestBudget, seconds_to_reset
from audio_extract_dagster.genesys.patience import Patience
from audio_extract_dagster.genesys.policy import RetryPolicy
from audio_extract_dagster.genesys.tolerance import Unreadable
from audio_extract_dagster.genesys.transport import Reply, Request, Transport
from audio_extract_dagster.genesys.usage import UsageMeter

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Authorization(Protocol):
    """Where the `Authorization` header of a request comes from."""

    def header(self) -> str:
        """The header's value; may log in first."""

    def renew(self, refused: str) -> bool:
        """After a 401: whether there is now another header than `refused`."""


class Exchange:
    """Makes calls with one budget, one policy and one meter; thread-safe."""

    def __init__(
        self,
        policy: RetryPolicy,
        budget: RequestBudget,
        clock: Clock,
        rng: random.Random,
        meter: UsageMeter,
    ) -> None:
        self._budget = budget
        self._clock = clock
        self._meter = meter
        self._fresh_patience = partial(Patience, policy, budget, clock, rng, meter)

    def call(
        self,
        request: Request,
        transport: Transport,
        authorization: Authorization,
        read: Callable[[bytes], T],
    ) -> T:
        """The answer's body as `read` gives it. Raises a GenesysError."""
        patience = self._fresh_patience()
        has_renewed = False
        while True:
            self._meter.waited("budget", self._budget.acquire())
            header = authorization.header()
            try:
                return self._attempt(request, transport, header, read)
            except LoginRefused:
                if has_renewed or not authorization.renew(header):
                    raise
                has_renewed = True
            except RateLimited as limit:
                patience.after_rate_limit(limit)
            except (Unavailable, UnreadableAnswer) as fault:
                if request.once and not fault.untouched:
                    lost = f"{fault.what}, so nobody knows whether the order was taken"
                    raise fault.as_a(SubmissionUncertain, lost) from None
                patience.after_fault(fault)

    def _attempt(
        self, request: Request, transport: Transport, header: str, read: Callable[[bytes], T]
    ) -> T:
        self._meter.sent(request.operation)
        started = self._clock.monotonic()
        reply = transport.send(request, header)
        seconds = self._clock.monotonic() - started
        trace = correlation_id(reply)
        _log.debug("%s: %d in %.2f s, correlation id %s", request, reply.status, seconds, trace)
        try:
            return self._answer(request, reply, read)
        finally:
            self._heed_count(reply)

    def _answer(self, request: Request, reply: Reply, read: Callable[[bytes], T]) -> T:
        if not 200 <= reply.status < 300:
            raise error_of(request, reply, self._clock.now())
        try:
            return read(reply.body)
        except Unreadable as error:
            call, status, trace = str(request), reply.status, correlation_id(reply)
            unreadable = UnreadableAnswer(str(error), call, status=status, correlation_id=trace)
            raise unreadable from None

    def _heed_count(self, reply: Reply) -> None:
        """Where Genesys's own count is full, nobody's turn comes before it starts again.

        The answer must not be lost with that: to a batch request it is the only word of the job.
        """
        if quiet := seconds_to_reset(reply.headers):
            try:
                self._budget.back_off(quiet)
            except AudioExtractError as error:
                _log.warning("The rate limit is reached, and nobody could be told: %s", error)
