"""The job of a day: all five assets of one partition, with their checks."""

from typing import Any

import dagster as dg

JOB_NAME = "extract_day"


def day_job() -> Any:
    """Every asset of one day, in one run."""
    return dg.define_asset_job(
        JOB_NAME,
        selection=dg.AssetSelection.assets(
            "conversations", "agent_calls", "audio_batches", "audio_records", "daily_report"
        ),
        description=(
            "One day from Genesys Cloud to PostgreSQL and the audio storage. Running a day again "
            "is safe: only what is not done is done."
        ),
    )
