"""The instance configurations agree, and Dagster starts with them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import DagsterInstance
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler import DagsterDaemonScheduler
from dagster._core.scheduler.instigation import TickStatus
from sqlalchemy import text

from audio_extract_dagster.cli.instance import ready_database
from audio_extract_dagster.settings import read_settings
from audio_extract_dagster_tests.defs.surroundings import bare_environment, database_variables
from audio_extract_dagster_tests.documents import read
from audio_extract_dagster_tests.postgres import Database

PERMANENT, CLOUD_RUN = "deploy/dagster.yaml", "deploy/cloud-run/dagster.yaml"


def configuration(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


@pytest.fixture
def environment(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The variables of a permanent installation on the test's database."""
    for name in set(os.environ) - set(bare_environment()):
        monkeypatch.delenv(name)
    variables = {**database_variables(database), "DAGSTER_HOME": str(tmp_path / "home")}
    for name, value in {**variables, "PROJECT_ID": "none", "REGION": "none"}.items():
        monkeypatch.setenv(name, value)
    return database


def test_commands_write_what_is_shipped(environment: Database, tmp_path: Path) -> None:
    ready_database(read_settings(os.environ))
    written = configuration((tmp_path / "home" / "dagster.yaml").read_text(encoding="utf-8"))
    address = written["storage"]["postgres"]["postgres_db"]
    assert address["port"] == environment.settings.port
    address["port"] = {"env": "PG_PORT"}
    assert written == configuration(read(PERMANENT))


def test_what_commands_wrote_follows_the_settings_until_somebody_changes_it(
    environment: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "home" / "dagster.yaml"
    ready_database(read_settings(os.environ), embedded=True)
    of_the_embedded = file.read_text(encoding="utf-8")
    # That server may have another port tomorrow; commands of Dagster get it from ours.
    assert "port: {env: PG_PORT}" in of_the_embedded

    ready_database(read_settings(os.environ))
    assert f"port: {environment.settings.port}" in file.read_text(encoding="utf-8")

    mine = of_the_embedded.replace("max_concurrent_runs: 4", "max_concurrent_runs: 2")
    file.write_text(mine, encoding="utf-8")
    ready_database(read_settings(os.environ))
    assert file.read_text(encoding="utf-8") == mine
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_what_runs_in_another_folder_finds_files_by_their_whole_names(
    environment: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "key.json")
    ready_database(read_settings(os.environ))
    assert os.environ["GOOGLE_APPLICATION_CREDENTIALS"] == str(tmp_path / "key.json")
    assert os.environ["AUDIO_STORAGE_URI"] == str(tmp_path / "data" / "audio")


def test_cloud_run_differs_only_where_it_must() -> None:
    permanent, cloud_run = configuration(read(PERMANENT)), configuration(read(CLOUD_RUN))
    assert {"run_launcher", "compute_logs"} == cloud_run.keys() - permanent.keys()
    for only_there in ("run_launcher", "compute_logs"):
        del cloud_run[only_there]
    del cloud_run["run_monitoring"]["start_timeout_seconds"]
    cloud_run["storage"]["postgres"]["postgres_db"]["hostname"] = {"env": "PG_HOST"}
    assert cloud_run == permanent


@pytest.mark.parametrize("name", [PERMANENT, CLOUD_RUN])
def test_dagster_starts_with_it(
    name: str, environment: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with environment.engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA dagster"))
    if name == CLOUD_RUN:
        # The name is empty there: what is tried is that libpq takes it from PGHOST.
        monkeypatch.setenv("PGHOST", environment.settings.host)
    (tmp_path / "dagster.yaml").write_text(read(name), encoding="utf-8")
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.get_runs_count() == 0
        assert instance.run_monitoring_enabled
        assert not instance.telemetry_enabled
        # A tick that fails at six in the morning is not left until the next morning.
        assert isinstance(instance.scheduler, DagsterDaemonScheduler)
        assert instance.scheduler.max_tick_retries > 0
        assert instance.get_tick_retention_settings(InstigatorType.SENSOR)[TickStatus.SKIPPED] == 7
    with environment.engine.connect() as connection:
        tables = connection.execute(
            text("SELECT count(*) FROM pg_tables WHERE schemaname = 'dagster'")
        )
        assert tables.scalar_one() > 0
