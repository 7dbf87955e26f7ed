"""Which calls go into the next batch: those of the day in order, then those to be asked again.

Reads the ledger, never writes it and never talks to Genesys.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import Engine

from audio_extract_dagster.database.connection import writing
from audio_extract_dagster.database.ledger.calls import (
    Position,
    is_open,
    named_calls,
    next_calls,
)
from audio_extract_dagster.extraction.outcomes import ASK_AGAIN_IN_RUN
from audio_extract_dagster.model import OPEN_CALLS, Ask, CallToAsk, Reason, Selection

# How often a call may be asked for in one run, the first time included.
ASKS_PER_RUN = 2


def _halves_of(ids: tuple[str, ...]) -> list[tuple[str, ...]]:
    """What is left to try of a batch that was not taken; nothing of a single call."""
    middle = len(ids) // 2
    return [ids[:middle], ids[middle:]] if middle else []


class BatchPlanner:
    """Hands out calls of one day in groups of `batch_size`, no call to two groups at once."""

    def __init__(
        self,
        engine: Engine,
        call_date: date,
        batch_size: int,
        selection: Selection = OPEN_CALLS,
    ) -> None:
        self._selection = selection
        self._engine = engine
        self._day = call_date
        self.batch_size = batch_size
        self._position: Position | None = None
        self._all_taken = False
        self._refused: list[tuple[str, ...]] = []
        self._lost: deque[tuple[str, ...]] = deque()
        self._lost_before: set[str] = set()
        self._again: list[str] = []
        self._asks: Counter[str] = Counter()
        self._taken: set[str] = set()

    def next_calls(self, *, others_fly: bool) -> list[CallToAsk]:
        """The calls of the next batch; empty when there is none to submit now.

        Calls to be asked again wait while other batches are under way (`others_fly`) and may bring
        more of them, so that a few stragglers cost one more batch and not one each.
        """
        while self._refused:
            if calls := self._load(self._refused.pop()):
                return calls
        if calls := self._in_order():
            return calls
        while self._lost:
            if calls := self._load(self._lost.popleft()):
                return calls
        while len(self._again) >= self.batch_size or (self._again and not others_fly):
            ids = self._again[: self.batch_size]
            del self._again[: self.batch_size]
            if calls := self._load(ids):
                return calls
        return []

    def take(self, conversation_ids: Sequence[str]) -> list[CallToAsk]:
        """The calls of a batch that an earlier run submitted; they are not handed out anew."""
        self._taken.update(conversation_ids)
        with writing(self._engine) as connection:
            return self._as_selected(named_calls(connection, conversation_ids))

    def may_ask_again(self, call: CallToAsk) -> bool:
        """Whether this run may spend another batch on the call."""
        return self._asks[call.conversation_id] + 1 < ASKS_PER_RUN

    def answered(self, call: CallToAsk, reasons: Iterable[Reason]) -> None:
        """The call has its answer; if a new batch may bring more, it is planned again."""
        if self.may_ask_again(call) and not ASK_AGAIN_IN_RUN.isdisjoint(reasons):
            self._asks[call.conversation_id] += 1
            self._again.append(call.conversation_id)

    def reply_lost(self, calls: Sequence[CallToAsk]) -> bool:
        """Nobody knows whether Genesys took the batch; returns whether its calls are planned again.

        They are behind all the others, in case it is one of them that breaks the request: whole at
        first, then in halves. A single call is not asked for a third time.
        """
        ids = tuple(call.conversation_id for call in calls)
        if self._lost_before.isdisjoint(ids):
            self._lost_before.update(ids)
            self._lost.append(ids)
            return True
        self._lost.extend(_halves_of(ids))
        return len(ids) > 1

    def refused(self, calls: Sequence[CallToAsk]) -> bool:
        """Genesys refused the batch; returns whether it can be halved, to find the call it minds.

        The halves are next, so that Genesys soon takes one, if it takes anything at all.
        """
        ids = tuple(call.conversation_id for call in calls)
        self._refused += reversed(_halves_of(ids))
        return len(ids) > 1

    def _in_order(self) -> list[CallToAsk]:
        """The next calls of the day, as many as a batch holds while there are so many.

        Filled up past the calls that were taken: part-filled batches would cost more requests.
        """
        calls: list[CallToAsk] = []
        while not self._all_taken and len(calls) < self.batch_size:
            following = self._take(self.batch_size - len(calls))
            calls += [c for c in following if c.conversation_id not in self._taken]
        return calls

    def _take(self, limit: int) -> list[CallToAsk]:
        with writing(self._engine) as connection:
            calls = next_calls(connection, self._day, limit, self._position, self._selection)
        if calls:
            self._position = Position(calls[-1].conversation_start, calls[-1].conversation_id)
        self._all_taken = len(calls) < limit
        return self._as_selected(calls)

    def _load(self, conversation_ids: Sequence[str]) -> list[CallToAsk]:
        with writing(self._engine) as connection:
            calls = self._as_selected(named_calls(connection, conversation_ids))
        return [call for call in calls if is_open(call) or call.fetch_again]

    def _as_selected(self, calls: Sequence[CallToAsk]) -> list[CallToAsk]:
        by_force = self._selection.ask is Ask.ALL_CALLS
        named = self._selection.conversation_ids
        return [
            replace(call, fetch_again=by_force and (not named or call.conversation_id in named))
            for call in calls
        ]
