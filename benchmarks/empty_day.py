"""The fixed cost of a run: a day without a single call, against a Dagster run that does nothing.

Both in this process, on the same PostgreSQL instance of Dagster, with the same number of steps.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from statistics import median

from dagster import DagsterInstance

from audio_extract_dagster.cli.execution import execute
from audio_extract_dagster.cli.instance import ready_settings
from audio_extract_dagster.settings import Settings
from benchmarks import empty_project
from benchmarks.measure import Candidate, Finding, compare, main, timed
from benchmarks.surroundings import database, enter, folder, helper, variables

_RUNS = 3  # in one round: a single run is short


def measure(rounds: int) -> list[Finding]:
    logging.disable(logging.WARNING)
    with folder() as home, database() as made, helper("org", "--calls", "0") as url:
        enter(variables(made, url, home))
        ours = partial(_ours, ready_settings())
        _empty()
        ours()
        return compare(
            "an empty Dagster run of the same number of steps",
            partial(_several, _empty),
            [Candidate("a run of a day without calls", partial(_several, ours), 1.2)],
            rounds,
        )


def _several(run: Callable[[], None]) -> float:
    return median(timed(run) for _ in range(_RUNS))


def _empty() -> None:
    job = empty_project.shadow_job()
    with DagsterInstance.get() as instance:
        empty_project.run(job, instance)


def _ours(settings: Settings) -> None:
    failure = execute(settings, empty_project.DAY).failure
    if failure is not None:
        raise RuntimeError(failure)


if __name__ == "__main__":
    main(measure)
