"""A Dagster project that does nothing in as many steps as ours: four assets with a check each.

What Dagster itself costs, to load and to run: the yardstick for what we add.
"""

from datetime import date

import dagster as dg

DAY = date(2026, 3, 10)
JOB = "empty_day"

_PARTITIONS = dg.DailyPartitionsDefinition(start_date="2024-01-01", timezone="America/Lima")
_NAMES = ("conversations", "agent_calls", "audio", "daily_report")


def _asset(name: str, upstream: str | None) -> dg.AssetsDefinition:
    @dg.asset(name=name, partitions_def=_PARTITIONS, deps=[upstream] if upstream else [])
    def nothing() -> None: ...

    return nothing


def _check(name: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(name=f"{name}_is_fine", asset=name)
    def fine() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    return fine


defs = dg.Definitions(
    assets=[_asset(name, before) for name, before in zip(_NAMES, (None, *_NAMES), strict=False)],
    asset_checks=[_check(name) for name in _NAMES],
    jobs=[dg.define_asset_job(JOB, selection=dg.AssetSelection.assets(*_NAMES))],
    executor=dg.in_process_executor,
)


def run(instance: dg.DagsterInstance) -> None:
    """Run the job once, quietly."""
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    job = defs.resolve_job_def(JOB)
    result = job.execute_in_process(
        instance=instance, partition_key=DAY.isoformat(), run_config=quiet
    )
    if not result.success:
        raise RuntimeError("the empty run failed")


if __name__ == "__main__":
    with dg.DagsterInstance.get() as this:
        run(this)
