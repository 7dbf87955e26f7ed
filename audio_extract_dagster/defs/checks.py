"""The checks of a day as Dagster asset checks, each for the partition of its own run."""

import warnings

import dagster as dg

from audio_extract_dagster.checks import ALL_CHECKS, Check, DayToCheck
from audio_extract_dagster.composition import storage_of
from audio_extract_dagster.database.connection import reading
from audio_extract_dagster.defs.failures import dagster_failures
from audio_extract_dagster.defs.resources import DayRunResource
from audio_extract_dagster.defs.runs import day_of_run


def asset_checks(partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetChecksDefinition]:
    """The checks for the given calendar."""
    with warnings.catch_warnings():
        # Without `partitions_def` a result would be kept per asset, and the last day run would
        # hide the others. Dagster calls it a preview; the versions are pinned.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [_asset_check(check, partitions) for check in ALL_CHECKS]


def _asset_check(
    check: Check, partitions: dg.PartitionsDefinition[str]
) -> dg.AssetChecksDefinition:
    severity = dg.AssetCheckSeverity.WARN if check.warns else dg.AssetCheckSeverity.ERROR

    @dg.asset_check(
        asset=check.asset,
        name=check.name,
        description=check.description,
        partitions_def=partitions,
        blocking=check.stops,
    )
    def examine(
        context: dg.AssetCheckExecutionContext, day_run: DayRunResource
    ) -> dg.AssetCheckResult:
        with dagster_failures():
            # The day of the run, which may be about this check alone: looking begins no job.
            day, settings = day_of_run(context.run), day_run.settings()
            with reading(day_run.engine()) as connection:
                found = check.look(
                    DayToCheck(
                        day=day,
                        now=day_run.clock.now(),
                        connection=connection,
                        storage=storage_of(settings),
                        settings=settings,
                    )
                )
        return dg.AssetCheckResult(
            passed=not found.problems,
            severity=severity,
            description="; ".join(found.problems) or None,
            metadata=found.numbers,
        )

    return examine
