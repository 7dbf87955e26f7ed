"""Who writes when: real threads, held where it matters, on a clock that only moves when told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from audio_extract_dagster.download.turns import Turns
from audio_extract_dagster_tests.fake_clock import FakeClock

PIECE = memoryview(b"audio")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def meet(turns: Turns, threads: ThreadPoolExecutor, *, within: float) -> bool:
    """Whether two writes are at work at once: each waits for the other, so many seconds at most."""
    meeting = threading.Barrier(2)
    writes = [threads.submit(turns.take, lambda _: meeting.wait(within), PIECE) for _ in range(2)]
    return all(write.exception() is None for write in writes)


def test_one_writes_at_a_time(threads: ThreadPoolExecutor, clock: FakeClock) -> None:
    assert not meet(Turns(clock), threads, within=0.2)


def test_nobody_waits_at_a_disk_that_is_slow(threads: ThreadPoolExecutor, clock: FakeClock) -> None:
    turns = Turns(clock)
    turns.take(lambda _: clock.advance(1), PIECE)  # a share that takes a second
    assert meet(turns, threads, within=5)


def test_who_waited_for_a_slow_turn_waits_no_longer(
    threads: ThreadPoolExecutor, clock: FakeClock
) -> None:
    turns, has_turn, go_on = Turns(clock), threading.Event(), threading.Event()

    def slow(_: memoryview) -> None:
        has_turn.set()
        assert go_on.wait(5)
        clock.advance(1)

    first = threads.submit(turns.take, slow, PIECE)
    assert has_turn.wait(5)
    together = threading.Barrier(7)
    others = [threads.submit(turns.take, lambda _: together.wait(5), PIECE) for _ in range(7)]
    go_on.set()
    for each in [first, *others]:
        each.result()


def test_a_disk_that_has_become_quick_again_is_taken_in_turns(
    threads: ThreadPoolExecutor, clock: FakeClock
) -> None:
    turns = Turns(clock)
    turns.take(lambda _: clock.advance(1), PIECE)
    turns.take(lambda _: None, PIECE)
    assert not meet(turns, threads, within=0.2)


def test_what_a_write_raises_is_raised_and_frees_the_turn(clock: FakeClock) -> None:
    turns = Turns(clock)

    def refuse(_: memoryview) -> None:
        raise OSError("full")

    for _ in range(2):
        with pytest.raises(OSError, match="full"):
            turns.take(refuse, PIECE)
