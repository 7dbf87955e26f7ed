"""The moments at which a run is killed, each told by what can be seen from outside of the run.

A request at the simulator is seen when it arrives, when it was acted on, and when half of its
answer is out. What a run does between two requests is seen in PostgreSQL: a table is locked, so
that the run stands still at its next write to it; or a request is held until a row has come.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from audio_extract_dagster.simulator import Simulator, Source, Switches
from audio_extract_dagster.simulator.messages import Reply, Request, ResetConnection
from audio_extract_dagster.simulator.routes import find

# Half an answer must not be taken for a broken one before the run is dead.
_STALL_SECONDS = 5.0
_SENT_SECONDS = 0.03


class Progress(Enum):
    """How far a request has come."""

    ARRIVED = "arrives"
    ACTED = "has been acted on"
    HALF_SENT = "is half answered"


@dataclass(frozen=True)
class Moment:
    """When the `number`-th request (of `operation`, of `path`, or of all) has come so far.

    With `writing`, the run lives on until it stands before a write to that table; `number` 0 is
    the start of the run. With `stored`, the request is held until that recording has a row.
    """

    number: int
    operation: str | None = None
    progress: Progress = Progress.ARRIVED
    path: str | None = None
    writing: str | None = None
    stored: str | None = None

    def __str__(self) -> str:
        request = f"{self.operation or 'request'} {self.number} {self.progress.value}"
        return f"{request}, then writing {self.writing}" if self.writing else request


class AmbushSimulator(Simulator):
    """A simulator that springs a trap, once, at the moment it was told."""

    def __init__(self, source: Source, switches: Switches) -> None:
        super().__init__(source, switches=switches)
        self._lock = threading.Lock()
        self._moment: Moment | None = None
        self._spring: Callable[[], None] = lambda: None
        self._seen = 0
        self.caught: str | None = None
        """The operation of the request at which the trap was sprung."""

    def lie_in_wait(self, moment: Moment | None, spring: Callable[[], None]) -> None:
        """Call `spring` in the middle of the request that `moment` names; None: of no request.

        That request is answered only if the run lives on: otherwise nobody is left.
        """
        with self._lock:
            self._moment, self._spring, self._seen, self.caught = moment, spring, 0, None

    def _answer(self, request: Request) -> Reply:
        moment = self._due(request)
        if moment is None:
            return super()._answer(request)
        if moment.progress is Progress.ARRIVED:
            self._strike(moment)
        reply = super()._answer(request)
        if moment.progress is Progress.ACTED:
            self._strike(moment)
        elif moment.progress is Progress.HALF_SENT:
            reply.sent, reply.stall = len(reply.body) // 2, _STALL_SECONDS
            threading.Timer(_SENT_SECONDS, self._spring).start()
        return reply

    def _strike(self, moment: Moment) -> None:
        self._spring()
        if moment.writing is None:
            raise ResetConnection

    def _due(self, request: Request) -> Moment | None:
        found = find(request.method, request.path)
        operation = found.route.operation if found else None
        with self._lock:
            moment = self._moment
            if moment is None or operation is None:
                return None
            if moment.operation not in (None, operation) or moment.path not in (None, request.path):
                return None
            self._seen += 1
            if self._seen != moment.number:
                return None
            self._moment, self.caught = None, operation
            return moment
