"""The clock of production, as far as no test has to wait for it."""

from __future__ import annotations

import threading

import pytest

from audio_extract_dagster.clock import Clock, CountedPauses, SystemClock
from audio_extract_dagster_tests.fake_clock import FakeClock


@pytest.mark.parametrize("clock", [SystemClock(), CountedPauses(SystemClock())])
def test_an_event_that_has_come_is_not_waited_for(clock: Clock) -> None:
    event = threading.Event()
    assert not clock.wait(event, 0)
    event.set()
    assert clock.wait(event, 600)


def test_who_counts_pauses_counts_waiting_too() -> None:
    pauses = CountedPauses(FakeClock())
    pauses.sleep(2)
    pauses.wait(threading.Event(), 3)
    assert pauses.seconds == 5
