"""PostgreSQL goes away, comes back, ends a connection; two runs want one day, and one gets it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from audio_extract_dagster.database.connection import (
    DatabaseRefused,
    DatabaseUnavailable,
    open_engine,
)
from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.database.locks import DayIsBusy, LockLost, day_lock, is_held
from audio_extract_dagster.extraction.after_run import after_run
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import Fault, World
from audio_extract_dagster_tests.scenarios.day import Scene
from audio_extract_dagster_tests.scenarios.ending import Ending
from audio_extract_dagster_tests.scenarios.restarting_server import RestartingServer

API_CALLS = ("details_query", "settings", "batch_submit", "batch_poll", "metadata")


def during(operation: str, action: Callable[[], object], *, after: int = 0) -> Fault:
    """Have something happen while Genesys answers; the answer stays as it is."""

    def change(answer: Any) -> object:
        action()
        return answer

    return Fault(operation, "mutate", after=after, change=change)


def end_connections(scene: Scene, *, only_the_locks: bool = False) -> int:
    """As an administrator or a restart ends them; returns how many there were."""
    # The connection that writes a day holds an advisory lock too, but it is never idle.
    lock = "state = 'idle' AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
    statement = (
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND application_name = 'audio-extract'" + (f" AND {lock}" if only_the_locks else "")
    )
    other = open_engine(scene.database.settings)
    try:
        with other.connect() as connection:
            return int(connection.scalar(text(statement)) or 0)
    finally:
        other.dispose()


@pytest.mark.parametrize("operation", API_CALLS)
def test_connections_that_are_ended_in_mid_run(scene: Scene, calm: Ending, operation: str) -> None:
    ended: list[int] = []
    scene.simulator.faults.add(during(operation, lambda: ended.append(end_connections(scene))))
    ending = scene.run()
    assert ended[0] > 0
    assert ending.error is None
    assert ending.state == calm.state
    assert len(scene.simulator.log) == len(calm.batches)
    assert set(ending.downloads.values()) == {1}


def test_the_locks_connection_alone_is_ended(scene: Scene, calm: Ending) -> None:
    ended: list[int] = []
    action = lambda: ended.append(end_connections(scene, only_the_locks=True))  # noqa: E731
    scene.simulator.faults.add(during("batch_poll", action))
    ending = scene.run()
    assert ended == [1]
    assert ending.error is None
    assert ending.state == calm.state
    assert ending.api_requests == calm.api_requests


def test_a_run_whose_lock_another_one_took_writes_nothing_more(scene: Scene, calm: Ending) -> None:
    with ExitStack() as other_run:
        rows: list[Any] = []

        def take_over() -> None:
            end_connections(scene, only_the_locks=True)
            other_run.enter_context(
                day_lock(scene.engine, scene.schema, scene.day, clock=scene.clock)
            )
            rows.append(scene.state())

        scene.simulator.faults.add(during("batch_poll", take_over))
        ending = scene.run()
        assert isinstance(ending.error, LockLost)
        assert ending.status is JobStatus.FAILED
        assert ending.job is not None
        assert "never two writers" in str(ending.job.error)
        assert ending.state.records == rows[0].records == {}
        assert ending.requests["batch_submit"] == len(calm.batches)

    after = scene.run()
    assert after.state == calm.state
    # The batches of the run that gave way are read by the one that follows.
    assert len(scene.simulator.log) == len(calm.batches)


def test_a_listing_during_which_another_run_took_the_day_is_not_written(
    scene: Scene, calm: Ending
) -> None:
    with ExitStack() as other_run:

        def take_over() -> None:
            assert end_connections(scene, only_the_locks=True) == 1
            other_run.enter_context(
                day_lock(scene.engine, scene.schema, scene.day, clock=scene.clock)
            )

        scene.simulator.faults.add(during("details_query", take_over))
        assert isinstance(scene.attempt("gives-way"), LockLost)
        with scene.engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM conversations")) == 0

    assert scene.run().state == calm.state


def test_a_second_run_of_the_day_does_not_begin(scene: Scene, calm: Ending) -> None:
    second: list[Ending] = []

    def run_too() -> None:
        with pytest.raises(DayIsBusy, match="Another run is working on 2026-03-10"):
            scene.day_run("run-too").__enter__()
        with scene.engine.connect() as connection:
            assert jobs.job(connection, "run-too") is None
        second.append(scene.ending("run-too"))

    scene.simulator.faults.add(during("batch_poll", run_too))
    ending = scene.run()
    assert len(second) == 1
    assert ending.state == calm.state
    assert not is_held(scene.engine, scene.schema, scene.day)


def test_a_run_that_was_killed_is_closed_by_the_next(scene: Scene, calm: Ending) -> None:
    """As by `kill -9`: the connections break, and the run never hears of it."""
    killed = scene.day_run("killed").__enter__()
    killed.stage("audio")
    end_connections(scene)
    ending = scene.run()
    assert ending.state == calm.state
    with scene.engine.connect() as connection:
        job = jobs.job(connection, "killed")
    assert job is not None
    assert job.status is JobStatus.FAILED
    assert job.error == "audio: the run vanished (killed, or machine or database lost)."


def test_a_full_disk_of_the_database_stops_the_run(scene: Scene, calm: Ending) -> None:
    """A trigger says what PostgreSQL says then, when the first recordings are written down."""
    with scene.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE TRIGGER full_disk BEFORE INSERT ON audio_records"
                " EXECUTE FUNCTION full_disk()"
            )
        )
    ending = scene.run()
    assert isinstance(ending.error, DatabaseUnavailable)
    assert ending.status is JobStatus.FAILED
    assert ending.job is not None
    assert "free space there" in str(ending.job.error)
    assert ending.state.records == {}

    with scene.engine.begin() as connection:
        connection.execute(text("DROP FUNCTION full_disk CASCADE"))
    assert scene.run().state == calm.state
    assert len(scene.simulator.log) == len(calm.batches)


def test_a_table_that_is_missing_is_a_matter_for_migrate(scene: Scene) -> None:
    def rename() -> None:
        with scene.engine.begin() as connection:
            connection.execute(text("ALTER TABLE audio_batches RENAME TO elsewhere"))

    scene.simulator.faults.add(during("settings", rename))
    error = scene.attempt("without-a-table")
    assert isinstance(error, DatabaseRefused)
    assert "audio-extract migrate" in str(error)


def test_a_server_that_is_restarted_and_one_that_stays_away(
    world: World, calm: Ending, tmp_path: Path
) -> None:
    server = RestartingServer(tmp_path / "postgres")
    with server.running() as database, Scene(world, database, tmp_path / "audio") as scene:

        def restart() -> None:
            server.stop()
            server.start()

        scene.simulator.faults.add(during("batch_poll", restart))
        ending = scene.run()
        assert ending.error is None
        assert ending.state == calm.state

        # Everything is asked for again, and this time the server does not come back.
        with scene.engine.begin() as connection:
            connection.execute(text("TRUNCATE audio_records, audio_batches"))
        scene.simulator.faults.add(during("batch_poll", server.stop))
        assert isinstance(scene.attempt("cut-off"), DatabaseUnavailable)

        server.start()
        ordered = len(scene.simulator.log)
        after_run(
            scene.engine,
            scene.schema,
            "cut-off",
            scene.day,
            failure="PostgreSQL went away",
            announce=lambda _connection, _job: None,
            clock=scene.clock,
        )
        with scene.engine.connect() as connection:
            broken = jobs.job(connection, "cut-off")
        assert broken is not None
        assert (broken.status, broken.error) == (JobStatus.FAILED, "audio: PostgreSQL went away")
        ending = scene.run()
        assert ending.state == calm.state
        assert len(scene.simulator.log) == ordered
