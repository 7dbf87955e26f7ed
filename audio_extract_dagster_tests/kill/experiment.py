"""The experiment: runs of one day that are killed, then runs until the day is done.

The run is a process, the simulator is in this one, database and files are real. What has become of
the day is judged in `promises.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from signal import Signals
from time import monotonic
from types import TracebackType

from sqlalchemy import text

from audio_extract_dagster.database.locks import is_held
from audio_extract_dagster.simulator import Fault, Switches, World
from audio_extract_dagster_tests.defs.surroundings import (
    bare_environment,
    database_variables,
    genesys_variables,
)
from audio_extract_dagster_tests.kill.leftovers import Leftovers, leftovers
from audio_extract_dagster_tests.kill.moments import AmbushSimulator, Moment, Progress
from audio_extract_dagster_tests.kill.processes import Forked, Launch, Process
from audio_extract_dagster_tests.kill.promises import Aftermath, Death
from audio_extract_dagster_tests.postgres import Database

# A Tuesday so long ago that nothing of it depends on the hour any more.
DAY = date(2025, 3, 11)
# Patience with a busy machine; a run takes two seconds, the command five.
LONGEST_RUN_SECONDS = 300.0
MOST_RUNS = 5
LOOKS = 3
BATCH_SIZE = 30

_SETTINGS = {
    # No budget and no pause worth mentioning: a day in two seconds.
    "GENESYS_REQUESTS_PER_MINUTE": "1000000",
    "GENESYS_POLL_SECONDS": "0.01",
    "BATCH_SIZE": str(BATCH_SIZE),
    "MAX_BATCHES_IN_FLIGHT": "4",
    "DOWNLOAD_CONCURRENCY": "6",
}
_LOOK_SECONDS = 0.005


def contact_centre() -> World:
    """More than 500 agent calls on `DAY`, in every story and every situation of a recording."""
    return World(seed=7, calls_per_day=620)


def _switches() -> Switches:
    return Switches(
        rate_limit=1_000_000,
        # By looks, not by time: the number of requests must not depend on the machine.
        batch_polls=LOOKS,
        # Parts are numbered in the order of the results, which must be that of the calm day.
        batch_shuffles=False,
        late_audio_seconds=None,
        audio_bytes=2048,
    )


def evenly(point: int, points: int, calm: Aftermath) -> Moment:
    """One of `points` moments (from 0) spread evenly over all requests of the undisturbed day."""
    total = sum(calm.end.requests.values())
    number = round((point + 0.5) / points * total)
    return Moment(number, progress=list(Progress)[point % len(Progress)])


class Experiment:
    """An org, a database, a folder for audio: all of one day. A context manager."""

    def __init__(
        self, world: World, database: Database, folder: Path, launch: Launch = Forked
    ) -> None:
        self._simulator = AmbushSimulator(world, _switches())
        self._database = database
        self._folder = folder
        self._launch = launch
        self._deaths: list[Death] = []

    def __enter__(self) -> Experiment:
        self._simulator.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._simulator.stop()

    def forget_batches(self, number: int) -> None:
        """Genesys knows nothing of the next so many batches that it is asked about."""
        params = {"status": 404, "code": "not.found"}
        self._simulator.faults.add(Fault("batch_poll", "status", times=number, params=params))

    def finish_batches_at_look(self, number: int) -> None:
        """Genesys takes so many looks for a batch, and shows more of it at each."""
        self._simulator.switches.batch_polls = number

    def kill(self, moment: Moment) -> Death:
        """A run that is killed at `moment`; raises `AssertionError` if it ends before."""
        exit_code = self._run(moment)
        killed = exit_code == -Signals["SIGKILL"]
        assert killed, f"the run was to be killed when {moment}, and ended with {exit_code}"
        self._until_the_day_is_free()
        death = Death(moment, self._simulator.caught or "start", self._leftovers())
        self._deaths.append(death)
        return death

    def finish(self) -> Aftermath:
        """Runs until one is content; raises `AssertionError` after too many."""
        runs = []
        for _ in range(MOST_RUNS):
            exit_code = self._run(None)
            runs.append(self._leftovers())
            if exit_code == 0:
                return Aftermath(self._deaths, runs)
        raise AssertionError(f"{MOST_RUNS} runs and no end: {runs[-1].jobs}")

    def _run(self, moment: Moment | None) -> int:
        """One run to its end, by itself or by us; returns its exit code."""
        started, sprung, dead = threading.Event(), threading.Event(), threading.Event()
        with ExitStack() as held:

            def spring() -> None:
                if moment is None:
                    return
                if moment.writing is not None:
                    held.enter_context(self._locked(moment.writing))
                    sprung.set()
                elif moment.stored is not None:
                    sprung.set()
                    dead.wait(LONGEST_RUN_SECONDS)
                else:
                    started.wait()
                    process.kill()

            self._simulator.counters.clear()
            self._simulator.lie_in_wait(moment, spring)
            if moment is not None and moment.number == 0:
                spring()
            process: Process = self._launch(self._environment(), DAY)
            held.callback(process.kill)
            held.callback(dead.set)
            started.set()
            late = monotonic() + LONGEST_RUN_SECONDS
            while (exit_code := process.wait(_LOOK_SECONDS)) is None:
                assert monotonic() < late, f"a run hangs; it was to be killed when {moment}"
                if moment is not None and sprung.is_set() and self._has_come(moment):
                    process.kill()
        return exit_code

    def _environment(self) -> dict[str, str]:
        return {
            **bare_environment(),
            **database_variables(self._database),
            **genesys_variables(self._simulator.url),
            **_SETTINGS,
            "AUDIO_STORAGE_URI": str(self._folder / "audio"),
            "DAGSTER_HOME": str(self._folder / "dagster"),
        }

    def _leftovers(self) -> Leftovers:
        counters = self._simulator.counters
        return leftovers(
            self._database.engine,
            self._folder / "audio",
            requests=counters.operations,
            downloads=counters.downloads,
            submitted=self._simulator.log,
        )

    @contextmanager
    def _locked(self, table: str) -> Iterator[None]:
        """Let everybody read `table`, and nobody write."""
        with self._database.engine.connect() as connection:
            connection.execute(text(f"LOCK TABLE {table} IN SHARE MODE"))
            yield

    def _has_come(self, moment: Moment) -> bool:
        """Whether a run that lives on has come to where it is to die."""
        seen = {"table": moment.writing, "recording": moment.stored}
        with self._database.engine.connect() as connection:
            return bool(connection.scalar(_WAITING if moment.writing else _STORED, seen))

    def _until_the_day_is_free(self) -> None:
        """PostgreSQL takes a moment to see that a client is dead."""
        engine, schema = self._database.engine, self._database.settings.schema
        late, pause = monotonic() + LONGEST_RUN_SECONDS, threading.Event()
        while is_held(engine, schema, DAY):
            assert monotonic() < late, "the day of a dead run stays locked"
            pause.wait(_LOOK_SECONDS)


_WAITING = text(
    "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = to_regclass(:table))"
)
_STORED = text(
    "SELECT EXISTS (SELECT FROM audio_records WHERE recording_id = :recording"
    " AND status = 'STORED')"
)
