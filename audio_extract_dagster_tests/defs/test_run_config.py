"""What a run may be told: which calls of its day to ask for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import text

from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.assets.audio import audio_config
from audio_extract_dagster.defs.jobs import JOB_NAME
from audio_extract_dagster.model import Ask
from audio_extract_dagster.simulator import Fault, Simulator
from audio_extract_dagster_tests.defs.location import (
    DAY,
    QUIET,
    CodeLocation,
    dagster_asks_old_pydantic,
    rows,
)
from audio_extract_dagster_tests.postgres import Database
from audio_extract_dagster_tests.scenarios.ending import DayState, Key, Row, read_state

pytestmark = dagster_asks_old_pydantic

ReadState = Callable[[], DayState]


@pytest.fixture
def simulator(simulator: Simulator) -> Simulator:
    """Parts are numbered in the order of the results, so that this must stay the same."""
    simulator.switches.batch_shuffles = False
    return simulator


def run(location: CodeLocation, **config: object) -> dg.ExecuteInProcessResult:
    """Run the day with this configuration of the audio step."""
    job = definitions().resolve_job_def(JOB_NAME)
    return job.execute_in_process(
        instance=location.instance,
        partition_key=DAY,
        resources=location.resources(),
        run_config={**QUIET, "ops": {"audio": {"config": config}}},
        raise_on_error=False,
    )


def stored(state: DayState) -> dict[Key, Row]:
    """The stored recordings, without what every asking changes."""
    return {key: state.records[key] for key in state.keys_with("STORED")}


def asked(simulator: Simulator) -> set[str]:
    """The calls of the latest batch."""
    return {conversation_id for conversation_id, _ in simulator.log[-1].items}


def agent_calls(state: DayState) -> set[str]:
    return {conversation_id for (conversation_id,) in state.agent_calls}


@pytest.fixture
def state(location: CodeLocation, database: Database, working_folder: Path) -> ReadState:
    """How the day stands, once it has been extracted."""
    assert location.run().success
    return lambda: read_state(database.engine, working_folder / "data" / "audio")


def test_new_calls_are_those_that_were_never_asked_for(
    location: CodeLocation, database: Database, simulator: Simulator, state: ReadState
) -> None:
    before = state()
    new = min(stored(before))[0]
    with database.engine.begin() as connection:
        statement = text("DELETE FROM audio_records WHERE conversation_id = :new")
        connection.execute(statement, {"new": new})

    assert run(location, ask="NEW_CALLS").success

    assert asked(simulator) == {new}
    assert state() == before


def test_all_calls_are_fetched_again(
    location: CodeLocation, simulator: Simulator, state: ReadState
) -> None:
    before = state()
    once = dict(simulator.counters.downloads)

    assert run(location, ask="ALL_CALLS").success

    assert asked(simulator) == agent_calls(before)
    assert dict(simulator.counters.downloads) == dict.fromkeys(once, 2)
    assert state() == before


@pytest.mark.parametrize(
    "faults",
    [
        [
            Fault("batch_poll", "mutate", times=None, params={"path": "results", "value": []}),
            Fault(
                "metadata", "mutate", times=None, params={"path": "*.fileState", "value": "DELETED"}
            ),
        ],
        [Fault("metadata", "status", times=None, params={"status": 404})],
        [Fault("download", "status", times=None, params={"status": 403})],
        [Fault("download", "html", times=None, params={"status": 200})],
        [Fault("download", "truncate", times=None)],
    ],
    ids=["deleted", "unlisted", "dead links", "no audio", "broken"],
)
def test_what_cannot_be_had_again_stays_as_it_is(
    location: CodeLocation, simulator: Simulator, state: ReadState, faults: list[Fault]
) -> None:
    before = state()
    for fault in faults:
        simulator.faults.add(fault)

    run(location, ask="ALL_CALLS")

    assert stored(state()) == stored(before)
    assert state().files == before.files


def test_some_calls_alone(location: CodeLocation, simulator: Simulator, state: ReadState) -> None:
    keys = stored(state())
    named = {min(keys)[0], max(keys)[0]}

    assert run(location, ask="ALL_CALLS", conversation_ids=[*named, "of-another-day"]).success
    assert asked(simulator) == named
    batches = len(simulator.log)
    assert run(location, conversation_ids=[*named]).success  # which are not open
    assert len(simulator.log) == batches


@pytest.mark.parametrize(
    "config",
    [
        {"ask": "EVERYTHING"},
        {"ask": "calls without a final answer"},
        {"conversation_ids": "c-1"},
        {"conversation_ids": [1]},
        {"conversation_id": ["c-1"]},
    ],
    ids=str,
)
def test_what_is_not_understood_is_refused_before_anything_starts(
    location: CodeLocation, database: Database, simulator: Simulator, config: dict[str, object]
) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError):
        run(location, **config)
    assert rows(database.engine, "extraction_jobs") == []
    assert not simulator.counters.operations


@pytest.mark.parametrize("ask", Ask)
def test_the_schedule_can_ask_for_each_kind(working_folder: Path, ask: Ask) -> None:
    job = definitions().resolve_job_def(JOB_NAME)
    assert dg.validate_run_config(job, audio_config(ask))
