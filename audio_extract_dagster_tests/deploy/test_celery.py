"""The instance that spreads runs over machines by Celery is one that Dagster takes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._core.instance import InstanceRef

from audio_extract_dagster.settings import Settings
from audio_extract_dagster_tests.documents import ROOT, read

INSTANCE = ROOT / "deploy" / "dagster-celery.yaml"
BROKER = {
    "CELERY_BROKER_URL": "redis://127.0.0.1:6379/0",
    "CELERY_RESULT_BACKEND": "redis://127.0.0.1:6379/1",
}


@pytest.fixture
def instance(tmp_path: Path) -> InstanceRef:
    """What Dagster reads of the file; it checks all of it but what belongs to the launcher."""
    shutil.copyfile(INSTANCE, tmp_path / "dagster.yaml")
    return InstanceRef.from_dir(str(tmp_path))


def test_its_variables_are_settings_or_the_brokers() -> None:
    named = set(re.findall(r"{env: (\w+)}", INSTANCE.read_text(encoding="utf-8")))
    assert named - BROKER.keys() < {name.upper() for name in Settings.model_fields}
    assert named > BROKER.keys()


def test_as_many_days_run_as_may_ask_genesys(instance: InstanceRef) -> None:
    """A run that waits for the pool would keep a worker from one that need not."""
    concurrency: Any = instance.settings["concurrency"]
    assert concurrency["runs"]["max_concurrent_runs"] == concurrency["pools"]["default_limit"]


def test_a_run_whose_machine_died_is_queued_again_and_one_that_failed_is_not(
    instance: InstanceRef,
) -> None:
    retries: Any = instance.settings["run_retries"]
    assert retries["enabled"]
    assert not retries["retry_on_asset_or_op_failure"]


def test_the_launcher_takes_its_configuration(
    instance: InstanceRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dagster_celery")
    for name, value in BROKER.items():
        monkeypatch.setenv(name, value)
    launcher: Any = instance.run_launcher
    assert launcher.celery.conf.broker_url == BROKER["CELERY_BROKER_URL"]
    assert launcher.supports_check_run_worker_health


def test_what_it_needs_is_of_the_family_that_is_pinned() -> None:
    """dagster-celery has the numbers of dagster-postgres."""
    project = read("pyproject.toml")
    (number,) = re.findall(r'"dagster-postgres==([\d.]+)"', project)
    documents = ("deploy/dagster-celery.yaml", "docs/many-machines.md", "benchmarks/README.md")
    named = {
        found
        for document in documents
        for found in re.findall(r"dagster-celery\[redis\]==([\d.]+)", read(document))
    }
    assert named == {number}


def test_it_stores_where_the_written_instance_does() -> None:
    """A UI on one machine and workers on others are of one instance only if they share storage."""
    storage = yaml.safe_load(INSTANCE.read_text(encoding="utf-8"))["storage"]
    assert storage["postgres"]["postgres_db"]["params"] == {"options": "-c search_path=dagster"}
