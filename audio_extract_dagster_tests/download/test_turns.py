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


def test_one_writes_at_a_time(threads: ThreadPoolExecutor, clock: FakeClock) -> None:
    turns, writing, most = Turns(clock), 0, 0
    enough = threading.Barrier(8)

    def write(_: memoryview) -> None:
        nonlocal writing, most
        writing += 1
        most = max(most, writing)
        writing -= 1

    def many() -> None:
        enough.wait()
        for _ in range(200):
            turns.take(write, PIECE)

    for each in [threads.submit(many) for _ in range(8)]:
        each.result()
    assert most == 1


def test_nobody_waits_at_a_disk_that_is_slow(threads: ThreadPoolExecutor, clock: FakeClock) -> None:
    turns = Turns(clock)
    turns.take(lambda _: clock.advance(1), PIECE)  # a share that takes a second
    together = threading.Barrier(8)  # which would break if one waited for another
    writes = [threads.submit(turns.take, lambda _: together.wait(5), PIECE) for _ in range(8)]
    for each in writes:
        each.result()


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
    turns, has_turn, go_on = Turns(clock), threading.Event(), threading.Event()
    turns.take(lambda _: clock.advance(1), PIECE)
    turns.take(lambda _: None, PIECE)

    def hold(_: memoryview) -> None:
        has_turn.set()
        assert go_on.wait(5)

    first = threads.submit(turns.take, hold, PIECE)
    assert has_turn.wait(5)
    second = threads.submit(turns.take, lambda _: None, PIECE)
    assert not second.done()
    go_on.set()
    first.result()
    second.result()


def test_what_a_write_raises_is_raised_and_frees_the_turn(clock: FakeClock) -> None:
    turns = Turns(clock)

    def refuse(_: memoryview) -> None:
        raise OSError("full")

    for _ in range(2):
        with pytest.raises(OSError, match="full"):
            turns.take(refuse, PIECE)
