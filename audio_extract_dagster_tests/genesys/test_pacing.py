"""The budget: never more than its limit in any minute, and all of it when it is wanted."""

from __future__ import annotations

import threading
from bisect import bisect_left

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_extract_dagster.genesys import LocalBudget
from audio_extract_dagster.genesys.pacing import WINDOW, seconds_to_reset
from audio_extract_dagster_tests.fake_clock import FakeClock

# What callers do: pause, ask for a number of turns in a row, be told to be quiet.
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["lull", "ask", "back off"]),
        st.floats(0, 100, allow_nan=False),
        st.integers(1, 60),
    ),
    max_size=20,
)


@settings(max_examples=150, deadline=None)
@given(per_minute=st.integers(1, 300), acts=ACTS)
def test_no_minute_sees_more_than_the_limit(
    per_minute: int, acts: list[tuple[str, float, int]]
) -> None:
    clock = FakeClock()
    budget = LocalBudget(per_minute, clock)
    taken: list[float] = []
    quiet_until = 0.0
    for act, seconds, turns in acts:
        if act == "lull":
            clock.advance(seconds)
        elif act == "back off":
            budget.back_off(seconds)
            quiet_until = max(quiet_until, clock.monotonic() + seconds)
        else:
            for _ in range(turns):
                before = clock.monotonic()
                assert budget.acquire() == clock.monotonic() - before
                assert clock.monotonic() >= quiet_until
                taken.append(clock.monotonic())

    for index, start in enumerate(taken):
        assert bisect_left(taken, start + WINDOW) - index <= per_minute


@given(per_minute=st.integers(1, 300))
@settings(max_examples=60, deadline=None)
def test_a_busy_caller_gets_the_whole_budget_evenly(per_minute: int) -> None:
    clock = FakeClock()
    budget = LocalBudget(per_minute, clock)
    burst = max(1, per_minute // 20)

    taken = []
    for _ in range(3 * per_minute):
        budget.acquire()
        taken.append(clock.monotonic())

    # Three windows' worth of turns, the first of them at 0, and no more than the even spread
    # and a burst at any time.
    assert taken[-1] <= 3 * WINDOW
    assert taken[2 * per_minute] == pytest.approx(2 * WINDOW)
    for index, moment in enumerate(taken):
        assert index + 1 <= burst + moment * per_minute / WINDOW + 1e-6


def test_a_lull_earns_a_burst_and_no_more() -> None:
    clock = FakeClock()
    budget = LocalBudget(240, clock)
    budget.acquire()
    clock.advance(3600)

    waits = [budget.acquire() for _ in range(14)]

    assert waits[:12] == [0] * 12
    assert waits[12:] == pytest.approx([WINDOW / 240] * 2)


def test_threads_take_their_turns_one_by_one() -> None:
    clock = FakeClock()
    budget = LocalBudget(60, clock)
    threads = [
        threading.Thread(target=lambda: [budget.acquire() for _ in range(15)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # 120 turns at 60 a window: the last of them a burst (3) before the end of the second window.
    assert 2 * WINDOW - 4 <= clock.monotonic() <= 2 * WINDOW


def test_a_budget_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        LocalBudget(0, FakeClock())


@pytest.mark.parametrize(
    ("count", "allowed", "reset", "seconds"),
    [
        ("17", "300", "43", 0),
        ("299", "300", "43", 0),
        ("300", "300", "43", 43),
        ("301", "300", "0", 0),
        ("301", "300", "-7", 0),
        ("301", "300", "99999", 61),
        ("many", "300", "43", 0),
        ("300", "", "43", 0),
    ],
)
def test_the_count_of_genesys(count: str, allowed: str, reset: str, seconds: float) -> None:
    headers = {
        "inin-ratelimit-count": count,
        "inin-ratelimit-allowed": allowed,
        "inin-ratelimit-reset": reset,
    }
    assert seconds_to_reset(headers) == seconds
    assert seconds_to_reset({}) == 0
