"""The dry run: what extracting a day would cost, as a job that changes nothing."""

import dagster as dg

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import forecast_of
from audio_extract_dagster.defs.failures import dagster_failures
from audio_extract_dagster.defs.runs import day_of_run
from audio_extract_dagster.startup import settings_with_services

PLAN_JOB_NAME = "plan_day"


def plan_job(partitions: dg.PartitionsDefinition[str]) -> dg.JobDefinition:
    """The job for the given calendar; the command `audio-extract plan` gives the same numbers."""

    @dg.op(description="Counts the day's conversations at Genesys: one request.")
    def forecast_day(context: dg.OpExecutionContext) -> None:
        with dagster_failures():
            settings = settings_with_services()
            cost, rates = forecast_of(settings, [day_of_run(context.run)], SystemClock())
        context.add_output_metadata(
            {
                "conversations": cost.conversations,
                "agent_calls": cost.agent_calls,
                "api_requests": cost.requests,
                "minutes_of_the_budget": round(cost.minutes, 1),
                "GiB": round(cost.gibibytes, 3),
                "averages_of_days": rates.measured_days,
            }
        )

    @dg.job(
        name=PLAN_JOB_NAME,
        partitions_def=partitions,
        executor_def=dg.in_process_executor,
        description=(
            "Dry run of extract_day: what extracting a day would cost in calls, API requests, "
            "minutes of the request budget and GiB. Asks Genesys for a count, changes nothing. The "
            "numbers are in the metadata of the step's output; `audio-extract plan` gives the same "
            "for many days."
        ),
    )
    def plan_day() -> None:
        forecast_day()

    return plan_day
