"""Runs the job of a day in this process, on the instance in `DAGSTER_HOME`: the UI shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dagster import DagsterInstance

from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.day_of_run import first_failure
from audio_extract_dagster.defs.jobs import JOB_NAME


@dataclass(frozen=True)
class Execution:
    """The run, and why it failed (None if it did not)."""

    run_id: str
    failure: str | None


def execute(day: date) -> Execution:
    """Run the day to its end. An interrupt ends the run and is passed on."""
    job = definitions().resolve_job_def(JOB_NAME)
    with DagsterInstance.get() as instance:
        result = job.execute_in_process(
            instance=instance,
            partition_key=day.isoformat(),
            raise_on_error=False,
            # The closed counts are the output here; the log of the run is in the UI.
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        if result.success:
            return Execution(result.run_id, None)
        failure = first_failure(instance, result.run_id) or "the run failed; the UI shows why."
        return Execution(result.run_id, failure)
