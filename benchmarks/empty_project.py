"""What Dagster itself costs, to load and to run: the yardstick for what we add.

`defs` is a project with one asset. `shadow_job` is our job with nothing in it: the same assets,
checks and steps, all empty; `python -m benchmarks.empty_project` runs it once.
"""

import warnings
from datetime import date
from typing import Any

import dagster as dg

DAY = date(2026, 3, 10)

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dg.asset
def nothing() -> None: ...


defs = dg.Definitions(assets=[nothing])


def shadow_job() -> dg.JobDefinition:
    """A job of the same steps as ours, which do nothing."""
    # Not for those who only want `defs`.
    from audio_extract_dagster.definitions import definitions  # noqa: PLC0415
    from audio_extract_dagster.defs.jobs import JOB_NAME  # noqa: PLC0415

    ours = definitions()
    partitions = ours.resolve_job_def(JOB_NAME).partitions_def
    assets = [_empty_asset(each, partitions) for each in ours.assets or ()]
    checks = [_empty_check(each, partitions) for each in ours.asset_checks or ()]
    job = dg.define_asset_job("shadow", selection=dg.AssetSelection.assets(*_keys(assets)))
    executor = dg.in_process_executor
    shadow = dg.Definitions(assets=assets, asset_checks=checks, jobs=[job], executor=executor)
    return shadow.resolve_job_def("shadow")


def run(job: dg.JobDefinition, instance: dg.DagsterInstance) -> None:
    """Run a job for one day, quietly."""
    result = job.execute_in_process(
        instance=instance, partition_key=DAY.isoformat(), run_config=_QUIET
    )
    if not result.success:
        raise RuntimeError("the empty run failed")


def _empty_asset(of: Any, partitions: Any) -> dg.AssetsDefinition:
    specs = [dg.AssetSpec(spec.key, deps=spec.deps) for spec in of.specs]

    @dg.multi_asset(name=of.op.name, specs=specs, partitions_def=partitions)
    def empty() -> Any:
        for spec in specs:
            yield dg.MaterializeResult(asset_key=spec.key)

    return empty


def _empty_check(of: Any, partitions: Any) -> dg.AssetChecksDefinition:
    (spec,) = of.check_specs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)

        @dg.asset_check(
            asset=spec.asset_key,
            name=spec.name,
            blocking=spec.blocking,
            partitions_def=partitions,
        )
        def empty() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=True)

    return empty


def _keys(assets: list[dg.AssetsDefinition]) -> list[dg.AssetKey]:
    return [key for each in assets for key in each.keys]


if __name__ == "__main__":
    with dg.DagsterInstance.get() as this:
        run(shadow_job(), this)
