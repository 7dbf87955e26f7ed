"""The budget that runs share through PostgreSQL: never too much in any minute, and all of it."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import BindParameter, Double, Engine, bindparam, cast, event, func, select, text

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.connection import DatabaseRefused, open_engine
from audio_extract_dagster.database.request_budget import SERVER_TIME, SharedBudget
from audio_extract_dagster.database.tables import request_budget
from audio_extract_dagster.genesys.pacing import WINDOW
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.postgres import Database

PER_MINUTE = 60


class CommonClock:
    """The clock of `threads`: when all of them sleep, it jumps to where the first one wakes."""

    def __init__(self, threads: int) -> None:
        self._start = datetime(2026, 3, 11, 11, tzinfo=timezone.utc)
        self._elapsed = 0.0
        self._awake = threads
        self._wakes: list[float] = []
        self._changed = threading.Condition()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        with self._changed:
            wake = self._elapsed + seconds
            self._wakes.append(wake)
            self._lie_down()
            self._changed.wait_for(lambda: self._elapsed >= wake)
            self._awake += 1
            self._wakes.remove(wake)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.sleep(seconds)
        return event.is_set()

    def leave(self) -> None:
        """A thread takes no more part."""
        with self._changed:
            self._lie_down()

    def _lie_down(self) -> None:
        self._awake -= 1
        # One that is due but not up yet still counts: time does not pass it by.
        if self._awake == 0 and self._wakes:
            self._elapsed = max(self._elapsed, min(self._wakes))
            self._changed.notify_all()


class InterruptedClock(FakeClock):
    """A clock during whose next sleep something happens."""

    while_it_sleeps: Callable[[], None] | None = None

    def sleep(self, seconds: float) -> None:
        happens, self.while_it_sleeps = self.while_it_sleeps, None
        if happens is not None:
            happens()
        super().sleep(seconds)


def budget_of(engine: Engine, clock: Clock, client_id: str = "one client") -> SharedBudget:
    """A budget on a server that tells the time of `clock`."""
    now: BindParameter[float] = bindparam("now", callable_=lambda: clock.now().timestamp())
    return SharedBudget(engine, client_id, PER_MINUTE, clock, cast(now, Double))


def most_in_a_minute(moments: Sequence[float]) -> int:
    """The most of `moments` that lie in any 60 seconds."""
    in_order = sorted(moments)
    return max(bisect_left(in_order, start + 60) - index for index, start in enumerate(in_order))


def test_a_server_whose_clock_was_set_back_stops_nobody_for_longer_than_a_minute(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    ahead, right = FakeClock(), FakeClock()
    ahead.advance(86_400)
    for _ in range(PER_MINUTE + 1):
        budget_of(engine, ahead).acquire()
    budget_of(engine, ahead).back_off(60)

    waits = [budget_of(engine, right).acquire() for _ in range(3)]

    assert waits[0] == pytest.approx(WINDOW)  # what was spent in this minute, nobody knows
    assert max(waits[1:]) <= WINDOW / PER_MINUTE + 1e-6
    assert "clock was set back" in caplog.text


def test_a_clock_that_is_set_back_while_somebody_waits_does_not_keep_him_waiting(
    engine: Engine,
) -> None:
    clock = InterruptedClock()
    clock.advance(86_400)
    budget = budget_of(engine, clock)
    budget.back_off(30)
    clock.while_it_sleeps = lambda: clock.advance(-86_400)
    budget.acquire()
    assert sum(clock.sleeps) <= 30 + WINDOW


def test_several_threads_of_two_runs_never_pass_the_limit_and_use_it_fully(
    database: Database,
) -> None:
    threads, turns = 4, 50
    clock = CommonClock(2 * threads)
    taken: list[float] = []

    def ask(budget: SharedBudget) -> None:
        try:
            for _ in range(turns):
                budget.acquire()
                taken.append(clock.monotonic())
        finally:
            clock.leave()

    engines = [open_engine(database.settings) for _ in range(2)]
    budgets = [budget_of(engine, clock) for engine in engines]
    with ThreadPoolExecutor(2 * threads) as pool:
        done = [pool.submit(ask, budget) for budget in budgets for _ in range(threads)]
        for each in done:
            each.result(timeout=120)
    for engine in engines:
        engine.dispose()

    assert len(taken) == 2 * threads * turns
    assert most_in_a_minute(taken) == PER_MINUTE
    # At the mean rate, but for a burst at the start.
    assert max(taken) <= len(taken) * WINDOW / PER_MINUTE


def test_clients_do_not_share_a_budget(engine: Engine) -> None:
    clock = FakeClock()
    budgets = [budget_of(engine, clock, name) for name in ("one", "other")]
    waits = [budget.acquire() for budget in budgets for _ in range(PER_MINUTE // 20)]
    assert waits == [0.0] * len(waits)


def test_a_run_that_comes_later_finds_what_others_have_spent(engine: Engine) -> None:
    clock = FakeClock()
    first = budget_of(engine, clock)
    while not first.acquire():
        pass
    assert budget_of(engine, clock).acquire() > 0


def test_all_runs_keep_quiet_when_one_is_told_to(engine: Engine) -> None:
    clock = FakeClock()
    told, other = (budget_of(engine, clock) for _ in range(2))
    told.back_off(100)
    told.back_off(50)
    assert other.acquire() == pytest.approx(100)


def test_a_crowd_that_waits_asks_no_more_than_one_that_does_not(database: Database) -> None:
    """Each turn is booked (read, write) and looked at once more, however many wait for theirs."""
    threads, turns = 8, 5
    clock = CommonClock(threads)
    engine = open_engine(database.settings)
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    budget = budget_of(engine, clock)

    def ask() -> None:
        try:
            for _ in range(turns):
                budget.acquire()
        finally:
            clock.leave()

    with ThreadPoolExecutor(threads) as pool:
        for each in [pool.submit(ask) for _ in range(threads)]:
            each.result(timeout=120)
    engine.dispose()

    first_of_all = 2 * threads  # the row is made, and read again
    assert len(statements) <= 3 * threads * turns + first_of_all


def test_a_turn_that_is_booked_is_void_when_quiet_is_asked_for(engine: Engine) -> None:
    clock = InterruptedClock()
    waiting, told = budget_of(engine, clock), budget_of(engine, clock)
    while not waiting.acquire():
        pass
    clock.while_it_sleeps = lambda: told.back_off(100)
    assert waiting.acquire() >= 100


def test_machines_need_not_agree_on_the_time(engine: Engine) -> None:
    budget = SharedBudget(engine, "one client", PER_MINUTE, FakeClock())
    with engine.connect() as connection:
        before = connection.execute(select(SERVER_TIME)).scalar_one()
        budget.acquire()
        after = connection.execute(select(SERVER_TIME)).scalar_one()
        taken = connection.execute(select(func.unnest(request_budget.c.taken))).scalar_one()
    assert before < taken < after


def test_without_its_table_there_is_no_budget(database: Database) -> None:
    budget = budget_of(database.engine, FakeClock())
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE request_budget"))
    with pytest.raises(DatabaseRefused, match="audio-extract migrate"):
        budget.acquire()
