"""The real command is killed with everything it started: `audio-extract run`, Dagster and all."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from audio_extract_dagster.simulator import World
from audio_extract_dagster_tests.kill.experiment import Experiment
from audio_extract_dagster_tests.kill.moments import Moment, Progress
from audio_extract_dagster_tests.kill.processes import Command
from audio_extract_dagster_tests.kill.promises import Aftermath, broken_promises
from audio_extract_dagster_tests.postgres import Database

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")


@pytest.fixture
def experiment(world: World, database: Database, tmp_path: Path) -> Iterator[Experiment]:
    """The day of `calm`, to be run by the command."""
    with Experiment(world, database, tmp_path, Command) as experiment:
        yield experiment


@pytest.mark.parametrize(
    "moment",
    [
        Moment(7, "batch_submit", Progress.ACTED),
        Moment(250, "download", Progress.HALF_SENT),
    ],
    ids=str,
)
def test_the_command_is_run_again_after_a_kill(
    experiment: Experiment, database: Database, calm: Aftermath, moment: Moment
) -> None:
    death = experiment.kill(moment)
    (job,) = death.left.jobs
    assert (job["status"], job["stage"]) == ("RUNNING", "audio")
    after = experiment.finish()
    assert broken_promises(after, calm) == []
    # Dagster, too, knows that the run it had under way is gone.
    with database.engine.connect() as connection:
        runs = connection.execute(text("SELECT run_id, status FROM dagster.runs")).all()
    ended = after.end.jobs[-1]["run_id"]
    assert {run.run_id: run.status for run in runs} == {job["run_id"]: "FAILURE", ended: "SUCCESS"}
