"""What people see of a day: figures of the report, links to files, progress, previews of tables."""

from __future__ import annotations

import re
from pathlib import Path

import dagster as dg
import pytest

from audio_extract_dagster_tests.defs.location import (
    ASSETS,
    CodeLocation,
    dagster_asks_old_pydantic,
    metadata_of,
    rows,
)
from audio_extract_dagster_tests.postgres import Database

pytestmark = dagster_asks_old_pydantic


def test_the_report_tells_where_the_time_went(location: CodeLocation) -> None:
    told = metadata_of(location.run())["daily_report"]

    seconds = {
        name: value
        for name, value in told.items()
        if name.startswith("seconds_") and isinstance(value, float)
    }
    assert set(seconds) == {
        "seconds_of_the_run",
        "seconds_waiting_for_limits",
        "seconds_waiting_for_batches",
        "seconds_downloading",
        "seconds_in_the_database",
    }
    # The clock of the test moves by pauses alone: the run waited for its batch and did no more.
    waited = seconds["seconds_waiting_for_batches"] + seconds["seconds_waiting_for_limits"]
    assert seconds["seconds_of_the_run"] == pytest.approx(waited, abs=0.05)  # each is rounded
    assert seconds["seconds_waiting_for_batches"] > 0
    assert seconds["seconds_in_the_database"] > 0


def test_a_record_leads_to_its_file(location: CodeLocation, working_folder: Path) -> None:
    told = metadata_of(location.run())["audio_records"]

    folder = Path(str(told["files"]))
    assert folder == working_folder / "data" / "audio" / "2026" / "03" / "10"
    assert folder.is_dir()
    assert folder.as_uri() in str(told["preview"])


def test_a_run_says_how_far_it_is(location: CodeLocation, instance: dg.DagsterInstance) -> None:
    result = location.run()

    batch, calls = _progress(instance, result.run_id)[-1].splitlines()
    assert re.fullmatch(r"Batch \d+: .+", batch)
    assert re.fullmatch(r"(\d+) of \1 agent calls of 2026-03-10 have their answer\.", calls)


def test_a_message_for_every_batch_would_cost_a_long_day_more_than_it_tells(
    location: CodeLocation, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATCH_SIZE", "1")
    monkeypatch.setenv("GENESYS_REQUESTS_PER_MINUTE", "100000")

    result = location.run()

    told = _progress(instance, result.run_id)
    batches = [line for each in told for line in each.splitlines() if line.startswith("Batch ")]
    assert len(batches) > 5
    assert len(told) < len(batches)


def _progress(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    messages = [entry.user_message for entry in instance.all_logs(run_id)]
    return [message for message in messages if "have their answer" in message]


def test_tables_are_described_and_previewed_without_personal_data(
    location: CodeLocation, database: Database
) -> None:
    told = metadata_of(location.run())

    for name in ASSETS:
        schema = told[name]["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema)
        assert all(column.type and column.description for column in schema.columns)
        assert told[name]["dagster/table_name"] == (
            f"{database.settings.database}.audio_extract.{name}"
        )
    preview = str(told["agent_calls"]["preview"])
    assert preview.count("\n") == 6  # a header, a line, five rows

    numbers = {
        digits
        for row in rows(database.engine, "agent_calls")
        for value in (row["ani"], row["dnis"])
        if value and (digits := re.sub(r"\D", "", value))
    }
    assert numbers
    everything_shown = repr(told)
    assert not [number for number in numbers if number in everything_shown]
    assert "participants" not in everything_shown
