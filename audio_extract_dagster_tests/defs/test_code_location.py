"""What Dagster loads: with an empty environment, without touching anything, complete."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster import AssetKey

from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.jobs import JOB_NAME
from audio_extract_dagster.settings import SettingsError
from audio_extract_dagster_tests.defs.location import ASSETS, CHECKS, dagster_asks_old_pydantic

pytestmark = dagster_asks_old_pydantic

# What a program does to the world, as the interpreter reports it to an audit hook.
_LOADING = """
import json, os, sys
import dagster as dg  # asks the system what kind of interpreter this is
touched = []
def watch(event, arguments):
    if event == "open":
        mode, flags = arguments[1], arguments[2]
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
        if (mode and set(mode) & set("wax+")) or flags & writes:
            touched.append([event, str(arguments[0])])
    elif event in ("socket.connect", "subprocess.Popen", "os.mkdir", "os.system", "os.fork"):
        touched.append([event, str(arguments)])
sys.addaudithook(watch)
from audio_extract_dagster.definitions import definitions
dg.Definitions.validate_loadable(definitions())
print(json.dumps(touched))
"""


def test_loads_with_an_empty_environment_and_touches_nothing(tmp_path: Path) -> None:
    loaded = subprocess.run(
        [
            sys.executable,
            *("-W", "error"),
            *("-W", "ignore:The `__fields__` attribute is deprecated"),
            *("-c", _LOADING),
        ],
        cwd=tmp_path,
        env={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert loaded.returncode == 0, loaded.stderr
    assert json.loads(loaded.stdout) == []
    assert list(tmp_path.iterdir()) == []


def test_five_assets_in_the_order_of_the_day(working_folder: Path) -> None:
    graph = definitions().resolve_asset_graph()
    edges = {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }
    assert edges == {
        "conversations": set(),
        "agent_calls": {"conversations"},
        "audio_batches": {"agent_calls"},
        "audio_records": {"agent_calls"},
        "daily_report": {"conversations", "agent_calls", "audio_batches", "audio_records"},
    }
    groups = {key.to_user_string(): graph.get(key).group_name for key in graph.get_all_asset_keys()}
    assert groups == {
        "conversations": "genesys_cloud",
        "agent_calls": "genesys_cloud",
        "audio_batches": "audio",
        "audio_records": "audio",
        "daily_report": "reporting",
    }
    assert all(graph.get(AssetKey(name)).description for name in ASSETS)
    assert definitions().resolve_assets_def("audio_records").op.description


@pytest.mark.parametrize(("place", "kind"), [("data/audio", "file"), ("gs://calls/audio", "gcs")])
def test_recordings_are_shown_as_files_where_they_are_kept(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch, place: str, kind: str
) -> None:
    monkeypatch.setenv("AUDIO_STORAGE_URI", place)
    graph = definitions().resolve_asset_graph()
    kinds = {name: graph.get(AssetKey(name)).kinds for name in ASSETS}
    assert kinds.pop("audio_records") == {"python", "postgres", kind}
    assert {frozenset(each) for each in kinds.values()} == {frozenset({"python", "postgres"})}


def test_the_job_of_a_day_makes_everything_and_checks_it(working_folder: Path) -> None:
    job = definitions().resolve_job_def(JOB_NAME)
    assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == ASSETS
    assert {key.name for key in job.asset_layer.asset_graph.asset_check_keys} >= CHECKS
    assert job.executor_def is dg.in_process_executor


def test_the_schedule_ticks_on_working_mornings_in_lima(working_folder: Path) -> None:
    schedule = definitions().resolve_schedule_def("daily_extraction")
    assert schedule.cron_schedule == "0 6 * * 1-6"
    assert schedule.execution_timezone == "America/Lima"
    assert schedule.job_name == JOB_NAME


def _partitions() -> dg.DailyPartitionsDefinition:
    partitions = definitions().resolve_assets_def("conversations").partitions_def
    assert isinstance(partitions, dg.DailyPartitionsDefinition)
    return partitions


def _keys(first: str, last: str) -> list[str]:
    return list(_partitions().get_partition_keys_in_range(dg.PartitionKeyRange(first, last)))


def test_a_sunday_is_no_partition(working_folder: Path) -> None:
    assert _keys("2024-02-08", "2024-02-13") == [
        "2024-02-08",
        "2024-02-09",
        "2024-02-10",
        "2024-02-12",
        "2024-02-13",
    ]
    assert not _partitions().has_partition_key("2024-02-11")
    weekdays = {datetime.fromisoformat(key).weekday() for key in _partitions().get_partition_keys()}
    assert weekdays == {0, 1, 2, 3, 4, 5}


def test_a_saturday_lasts_24_hours(working_folder: Path) -> None:
    window = _partitions().time_window_for_partition_key("2024-02-10")
    assert window.end - window.start == timedelta(hours=24)
    assert window.start.isoformat() == "2024-02-10T00:00:00-05:00"


def test_partitions_begin_with_start_date(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _partitions().get_first_partition_key() == "2024-01-01"
    # A Sunday: the first partition is the next working day.
    monkeypatch.setenv("START_DATE", "2025-06-01")
    assert _partitions().get_first_partition_key() == "2025-06-02"


def test_holidays_and_free_weekdays_are_no_partitions(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXCLUDED_WEEKDAYS", "saturday, Sunday")
    monkeypatch.setenv("EXCLUDED_DATES", "07-28, 07-29, 2025-07-23")
    assert _keys("2025-07-21", "2025-07-31") == [
        "2025-07-21",
        "2025-07-22",
        "2025-07-24",
        "2025-07-25",
        "2025-07-30",
        "2025-07-31",
    ]
    assert not _partitions().has_partition_key("2024-07-29")
    assert _partitions().has_partition_key("2024-07-23")


def test_settings_come_from_the_dotenv_file_of_the_working_folder(working_folder: Path) -> None:
    (working_folder / ".env").write_text("START_DATE=2025-03-03\nSCHEDULE_CRON=30 5 * * 1-5\n")
    assert _partitions().get_first_partition_key() == "2025-03-03"
    assert definitions().resolve_schedule_def("daily_extraction").cron_schedule == "30 5 * * 1-5"


def test_a_wrong_value_is_told_when_the_code_location_loads(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMEZONE", "Lima")
    monkeypatch.setenv("BATCH_SIZE", "500")
    with pytest.raises(SettingsError) as raised:
        definitions()
    assert [problem.split()[0] for problem in raised.value.problems] == ["BATCH_SIZE", "TIMEZONE"]
