"""What a Dagster run tells of itself: its day, whether and why it failed, who stopped it."""

from datetime import date
from typing import Any

import dagster as dg
from dagster import (
    DagsterEventType,
    DagsterExecutionInterruptedError,
    DagsterInstance,
    DagsterRunStatus,
)
from dagster._core.errors import DagsterAssetCheckFailedError

import audio_extract_dagster

BROKEN_OFF = "the run broke off before its end, and no step says why. Its log in the UI may."
# What Dagster says of a run that somebody killed, or for which it has told why the event before.
_KNOWS_NO_MORE = "This run has been marked as failed from outside the execution context."
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


def only_checks(run: dg.DagsterRun) -> bool:
    """Whether somebody looks at a day, and does nothing with it."""
    return bool(run.asset_check_selection) and not run.asset_selection


def why_not_done(instance: DagsterInstance, run_id: str) -> str | None:
    """Why the run has not done all of its steps; None if it has.

    Asked at its end, before Dagster itself has judged it. What counts is that each step says that
    it succeeded: a run can break between two of them, or where none is there to fail.
    """
    run = instance.get_run_by_id(run_id)
    snapshot = run.execution_plan_snapshot_id if run is not None else None
    if snapshot is None:
        return BROKEN_OFF
    planned = set(instance.get_execution_plan_snapshot(snapshot).step_keys_to_execute)
    done = {
        entry.step_key for entry in instance.all_logs(run_id, of_type=DagsterEventType.STEP_SUCCESS)
    }
    if planned <= done:
        return None
    return first_failure(instance, run_id) or BROKEN_OFF


def first_failure(instance: DagsterInstance, run_id: str) -> str | None:
    """Why the run's first failed step failed, or the run outside of its steps; None if unknown.

    In our words where the error is one of ours.
    """
    failure = _first_failed_step(instance, run_id)
    if failure is None:
        return _failure_outside_steps(instance, run_id)
    if failure.user_failure_data is not None and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    errors = _causes(failure.error)
    if any(error.cls_name == DagsterAssetCheckFailedError.__name__ for error in errors):
        return "; ".join(_failed_checks(instance, run_id))
    return _words(failure.error) if errors else "a step failed"


def was_stopped(instance: DagsterInstance, run_id: str) -> bool:
    """Whether somebody stopped the run: in the UI, or by a signal to its process."""
    run = instance.get_run_by_id(run_id)
    stopping = (DagsterRunStatus.CANCELING, DagsterRunStatus.CANCELED)
    if run is not None and run.status in stopping:
        return True
    failure = _first_failed_step(instance, run_id)
    errors = _causes(failure.error) if failure is not None else []
    return any(error.cls_name == DagsterExecutionInterruptedError.__name__ for error in errors)


def report_vanished(instance: DagsterInstance, run_id: str) -> None:
    """Have Dagster, too, see that a run is gone; it cannot know this of runs in other processes."""
    run = instance.get_run_by_id(run_id)
    if run is not None and not run.is_finished:
        instance.report_run_failed(run, "The run vanished: killed, or machine or database lost.")


def _first_failed_step(instance: DagsterInstance, run_id: str) -> Any:
    """What Dagster keeps of it; None if no step failed."""
    for entry in instance.all_logs(run_id, of_type=DagsterEventType.STEP_FAILURE):
        if entry.dagster_event is not None:
            return entry.dagster_event.step_failure_data
    return None


def _failure_outside_steps(instance: DagsterInstance, run_id: str) -> str | None:
    """It did not start in time, its code did not load, a resource did not begin."""
    kinds = {DagsterEventType.RUN_FAILURE, DagsterEventType.ENGINE_EVENT}
    before: Any = None
    for entry in instance.all_logs(run_id, of_type=kinds):
        event: Any = entry.dagster_event
        if event.event_type is not DagsterEventType.RUN_FAILURE:
            before = event
        elif (error := _error_of(event)) is not None:
            return _words(error)
        elif event.message != _KNOWS_NO_MORE:
            return str(event.message).partition("\n")[0]  # what the launcher adds is of machines
        else:
            error = _error_of(before)
            return None if error is None else _words(error)
    return None


def _error_of(event: Any) -> Any:
    return getattr(getattr(event, "event_specific_data", None), "error", None)


def _words(error: Any) -> str:
    """The root of an error; of our own the text alone, which is written for people."""
    told = str(_causes(error)[-1].message).strip()
    kind, _, text = told.partition(": ")
    return text if kind.startswith(f"{audio_extract_dagster.__name__}.") else told


def _causes(error: Any) -> list[Any]:
    """An error and what lies beneath it, the root last."""
    found = []
    while error is not None:
        found.append(error)
        error = error.cause
    return found


def _failed_checks(instance: DagsterInstance, run_id: str) -> list[str]:
    """What the blocking checks say that did not pass."""
    entries = instance.all_logs(run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION)
    evaluations: list[Any] = [
        entry.dagster_event.asset_check_evaluation_data for entry in entries if entry.dagster_event
    ]
    return [
        each.description or f"the check {each.check_name} did not pass"
        for each in evaluations
        if each.blocking and not each.passed
    ]
