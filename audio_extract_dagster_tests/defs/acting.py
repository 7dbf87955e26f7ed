"""What happens at a known point of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from audio_extract_dagster.simulator import Fault, Simulator


@contextmanager
def acting(
    simulator: Simulator, operation: str, act: Callable[[], object], *, after: int = 0
) -> Iterator[None]:
    """Do something once while the simulator answers this operation, which must come."""

    def change(answer: object) -> object:
        act()
        return answer

    fault = simulator.faults.add(Fault(operation, "mutate", after=after, change=change))
    yield
    assert simulator.faults.struck(fault) == 1
