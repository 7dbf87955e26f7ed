"""The dry run in Dagster: the numbers of the command, and nothing changed."""

from __future__ import annotations

from datetime import date

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import forecast_of
from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.plan import PLAN_JOB_NAME
from audio_extract_dagster.startup import settings_with_services
from audio_extract_dagster_tests.defs.location import (
    ASSETS,
    DAY,
    QUIET,
    CodeLocation,
    dagster_asks_old_pydantic,
    rows,
)
from audio_extract_dagster_tests.postgres import Database

pytestmark = dagster_asks_old_pydantic


def test_the_job_tells_what_the_command_would_and_changes_nothing(
    location: CodeLocation, database: Database
) -> None:
    result = (
        definitions()
        .resolve_job_def(PLAN_JOB_NAME)
        .execute_in_process(instance=location.instance, partition_key=DAY, run_config=QUIET)
    )

    (output,) = result.filter_events(lambda event: event.is_successful_output)
    told = {name: value.value for name, value in output.step_output_data.metadata.items()}
    cost, rates = forecast_of(settings_with_services(), [date.fromisoformat(DAY)], SystemClock())
    assert told == {
        "conversations": cost.conversations,
        "agent_calls": cost.agent_calls,
        "api_requests": cost.requests,
        "minutes_of_the_budget": round(cost.minutes, 1),
        "GiB": round(cost.gibibytes, 3),
        "averages_of_days": rates.measured_days,
    }
    assert cost.conversations > 0
    for table in (*ASSETS, "extraction_jobs", "notifications"):
        assert rows(database.engine, table) == []
