"""What a Dagster run tells of itself: its day, its first failure, whether it is being canceled."""

from datetime import date
from typing import Any

import dagster as dg
from dagster import DagsterEventType, DagsterInstance, DagsterRunStatus

_RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


class NoSingleDay(dg.DagsterError):
    """The run is not about exactly one partition."""


def day_of_run(run: dg.DagsterRun) -> date:
    """The partition of a run; raises `NoSingleDay` if it has none or a range of them."""
    key = run.tags.get("dagster/partition")
    first, last = (run.tags.get(tag) for tag in _RANGE_TAGS)
    if key is None and first is not None and first == last:
        key = first
    if key is None:
        raise NoSingleDay("Materialise one partition per run: each day is a run of its own.")
    return date.fromisoformat(key)


def first_failure(instance: DagsterInstance, run_id: str) -> str | None:
    """Why the run's first failed step failed, in our words where the error is one of ours."""
    failures = instance.all_logs(run_id, of_type=DagsterEventType.STEP_FAILURE)
    for entry in failures:
        data: Any = entry.dagster_event.step_failure_data if entry.dagster_event else None
        if data is None:
            continue
        if data.user_failure_data is not None and data.user_failure_data.description:
            return str(data.user_failure_data.description)
        error = data.error
        while error is not None and error.cause is not None:
            error = error.cause
        return error.message.strip() if error is not None else "a step failed"
    return None


def is_canceling(instance: DagsterInstance, run_id: str) -> bool:
    """Whether somebody has asked for the run to stop."""
    run = instance.get_run_by_id(run_id)
    stopping = (DagsterRunStatus.CANCELING, DagsterRunStatus.CANCELED)
    return run is not None and run.status in stopping


def report_vanished(instance: DagsterInstance, run_id: str) -> None:
    """Have Dagster, too, see that a run is gone; it cannot know this of runs in other processes."""
    run = instance.get_run_by_id(run_id)
    if run is not None and not run.is_finished:
        instance.report_run_failed(run, "The run vanished: killed, or its machine was lost.")
