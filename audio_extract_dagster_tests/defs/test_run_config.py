"""What a run may be told: which calls of its day to ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Engine, text

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
from audio_extract_dagster_tests.scenarios.day import files_in

pytestmark = dagster_asks_old_pydantic

# What says when and how often a recording was asked for, not what became of it.
_PASSING = {"batch_id", "attempts", "first_requested_at", "stored_at", "updated_at"}


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


def stored(engine: Engine) -> list[dict[str, Any]]:
    """The stored recordings, without what every asking changes."""
    return [
        {name: value for name, value in row.items() if name not in _PASSING}
        for row in rows(engine, "audio_records")
        if row["status"] == "STORED"
    ]


def asked(simulator: Simulator) -> set[str]:
    """The calls of the latest batch."""
    return {conversation_id for conversation_id, _ in simulator.log[-1].items}


def agent_calls(engine: Engine) -> set[str]:
    return {row["conversation_id"] for row in rows(engine, "agent_calls")}


def test_new_calls_are_those_that_were_never_asked_for(
    location: CodeLocation, database: Database, simulator: Simulator
) -> None:
    assert location.run().success
    before = stored(database.engine)
    new = before[0]["conversation_id"]
    with database.engine.begin() as connection:
        statement = text("DELETE FROM audio_records WHERE conversation_id = :new")
        connection.execute(statement, {"new": new})

    assert run(location, ask="NEW_CALLS").success

    assert asked(simulator) == {new}
    assert stored(database.engine) == before


def test_all_calls_are_fetched_again(
    location: CodeLocation, database: Database, simulator: Simulator
) -> None:
    assert location.run().success
    before = stored(database.engine)
    once = dict(simulator.counters.downloads)

    assert run(location, ask="ALL_CALLS").success

    assert asked(simulator) == agent_calls(database.engine)
    assert dict(simulator.counters.downloads) == dict.fromkeys(once, 2)
    assert stored(database.engine) == before


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
    location: CodeLocation,
    database: Database,
    simulator: Simulator,
    working_folder: Path,
    faults: list[Fault],
) -> None:
    assert location.run().success
    before, files = stored(database.engine), files_in(working_folder / "data" / "audio")
    for fault in faults:
        simulator.faults.add(fault)

    run(location, ask="ALL_CALLS")

    assert asked(simulator) == agent_calls(database.engine)
    assert stored(database.engine) == before
    assert files_in(working_folder / "data" / "audio") == files


def test_some_calls_alone(location: CodeLocation, database: Database, simulator: Simulator) -> None:
    assert location.run().success
    first, second = stored(database.engine)[0], stored(database.engine)[-1]
    named = {first["conversation_id"], second["conversation_id"]}

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
