"""The job of a day: all five assets of one partition, with their checks."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

JOB_NAME = "extract_day"


def day_job(freshness_checks: Sequence[dg.AssetChecksDefinition]) -> Any:
    """Every asset of one day, in one run.

    Without `freshness_checks`: they look at the newest day, whichever day it is that runs.
    """
    assets = dg.AssetSelection.assets(
        "conversations", "agent_calls", "audio_batches", "audio_records", "daily_report"
    )
    return dg.define_asset_job(
        JOB_NAME,
        selection=assets - dg.AssetSelection.checks(*freshness_checks),
        description=(
            "One day from Genesys Cloud to PostgreSQL and the audio storage. Running a day again "
            "is safe: only what is not done is done. Dry run: the job plan_day tells what a day "
            "would cost and changes nothing."
        ),
    )
