"""Asset checks: the counts close at each stage, each for the partition of its own run."""

import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg

from audio_extract_dagster.database.connection import database_errors
from audio_extract_dagster.database.ledger import accounts
from audio_extract_dagster.defs.failures import dagster_failures
from audio_extract_dagster.defs.resources import DayRunResource
from audio_extract_dagster.extraction.accounting import gaps, listing_gaps, verdict
from audio_extract_dagster.model import JobStatus


def asset_checks(partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetChecksDefinition]:
    """The checks for the given calendar."""
    with warnings.catch_warnings():
        # Without `partitions_def` a result would be kept per asset, and the last day run would
        # hide the others. Dagster calls it a preview; the versions are pinned.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return _partitioned_checks(partitions)


def _partitioned_checks(
    partitions: dg.PartitionsDefinition[str],
) -> list[dg.AssetChecksDefinition]:
    @dg.asset_check(
        asset="conversations",
        partitions_def=partitions,
        description="Every hit of the listing is a row or counted by kind, and none is lost.",
    )
    def listing_is_complete(
        context: dg.AssetCheckExecutionContext, day_run: DayRunResource
    ) -> dg.AssetCheckResult:
        with dagster_failures(), database_errors(day_run.engine()):
            run = day_run.begin(context)
            with day_run.engine().connect() as connection:
                listing = accounts.stream_counts(connection, "conversations", run.call_date)
        found = listing_gaps(listing)
        return _result(found, listing)

    @dg.asset_check(
        asset="agent_calls",
        partitions_def=partitions,
        description="Conversations = agent calls + excluded.",
    )
    def calls_add_up(
        context: dg.AssetCheckExecutionContext, day_run: DayRunResource
    ) -> dg.AssetCheckResult:
        with dagster_failures(), database_errors(day_run.engine()):
            run = day_run.begin(context)
            with day_run.engine().connect() as connection:
                counts = accounts.day_counts(connection, run.call_date)
        closes = counts.conversations == counts.agent_calls + counts.excluded
        numbers = {
            "conversations": counts.conversations,
            "agent_calls": counts.agent_calls,
            "excluded": counts.excluded,
        }
        return _result([] if closes else ["the sum does not close"], numbers)

    @dg.asset_check(
        asset="audio_records",
        partitions_def=partitions,
        description="Every agent call has at least one record, with a reason if it is not stored.",
    )
    def calls_have_records(
        context: dg.AssetCheckExecutionContext, day_run: DayRunResource
    ) -> dg.AssetCheckResult:
        with dagster_failures(), database_errors(day_run.engine()):
            run = day_run.begin(context)
            with day_run.engine().connect() as connection:
                without = accounts.calls_without_record(connection, run.call_date)
        found = [f"{len(without)} agent calls have no record"] if without else []
        return _result(found, {"calls_without_record": ", ".join(without[:20]) or "none"})

    @dg.asset_check(
        asset="daily_report",
        partitions_def=partitions,
        blocking=True,
        description=(
            "The day is accounted for: the listing is complete, the counts close and no more "
            "recordings failed than MAX_FAILED_PERCENT allows. If not, the run fails."
        ),
    )
    def day_is_accounted_for(
        context: dg.AssetCheckExecutionContext, day_run: DayRunResource
    ) -> dg.AssetCheckResult:
        with dagster_failures(), database_errors(day_run.engine()):
            run = day_run.begin(context)
            with day_run.engine().connect() as connection:
                counts = accounts.day_counts(connection, run.call_date)
                listing = accounts.stream_counts(connection, "conversations", run.call_date)
        ending = verdict(counts, listing, max_failed_percent=day_run.settings().max_failed_percent)
        failed = ending.status is JobStatus.FAILED
        numbers = {"status": ending.status.value, "sums": "; ".join(gaps(counts)) or "close"}
        return _result([ending.cause or "failed"] if failed else [], numbers)

    return [listing_is_complete, calls_add_up, calls_have_records, day_is_accounted_for]


def _result(problems: list[str], numbers: Mapping[str, Any]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not problems,
        severity=dg.AssetCheckSeverity.ERROR,
        description="; ".join(problems) or None,
        metadata=numbers,
    )
