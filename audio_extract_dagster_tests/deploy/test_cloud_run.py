"""A run as an execution of a Cloud Run job: started, watched, stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.launcher.base import WorkerStatus
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import create_run_for_test
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from google.api_core.exceptions import Forbidden, NotFound, ResourceExhausted, ServiceUnavailable
from google.auth.exceptions import TransportError
from google.cloud import run_v2

from audio_extract_dagster.defs.cloud_run import EXECUTION_TAG, CloudRunLauncher
from audio_extract_dagster.defs.jobs import JOB_NAME
from audio_extract_dagster_tests.defs.location import dagster_asks_old_pydantic
from audio_extract_dagster_tests.deploy.google_cloud_run import FakeCloudRun
from audio_extract_dagster_tests.documents import read

JOB = "projects/contact-centre/locations/us-central1/jobs/audio-extract-run"
SECRETS = {"PG_PASSWORD": "pg-s3cret", "GENESYS_CLOUD_CLIENT_SECRET": "genesys-s3cret"}

pytestmark = [
    dagster_asks_old_pydantic,
    pytest.mark.filterwarnings(
        # Dagster reads a property of schedules that it has given up.
        "ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning"
    ),
]


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> FakeCloudRun:
    """Google in the place of its clients."""
    fake = FakeCloudRun()
    monkeypatch.setattr(run_v2, "JobsClient", lambda: fake)
    monkeypatch.setattr(run_v2, "ExecutionsClient", lambda: fake)
    return fake


@pytest.fixture
def instance(
    google: FakeCloudRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """An instance with the launcher as it is shipped, on SQLite."""
    monkeypatch.chdir(tmp_path)  # where no .env is read
    variables = {"PROJECT_ID": "contact-centre", "REGION": "us-central1", **SECRETS}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    shipped = yaml.safe_load(read("deploy/cloud-run/dagster.yaml"))
    shipped["run_launcher"]["config"]["run_job_retry"] = {"wait": 0, "timeout": 60}
    kept = {name: shipped[name] for name in ("run_launcher", "telemetry", "compute_logs")}
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(kept), encoding="utf-8")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


@pytest.fixture(scope="module")
def location(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The code location as a server gives it to UI and daemon."""
    target = InProcessWorkspaceLoadTarget(
        InProcessCodeLocationOrigin(
            LoadableTargetOrigin(
                executable_path="/opt/audio-extract/bin/python",
                module_name="audio_extract_dagster.definitions",
            ),
            location_name="audio_extract",
        )
    )
    with (
        pytest.MonkeyPatch.context() as patch,
        dg.instance_for_test() as instance,
    ):
        patch.chdir(tmp_path_factory.mktemp("folder"))  # where no .env is read
        with WorkspaceProcessContext(instance, target) as context:
            yield context.create_request_context()


@pytest.fixture
def launched(instance: dg.DagsterInstance, location: Any) -> dg.DagsterRun:
    return launch(instance, location)


def launch(instance: dg.DagsterInstance, location: Any) -> dg.DagsterRun:
    """Start the job of a day as the daemon does, and read the run again."""
    repository = next(iter(location.get_code_location("audio_extract").get_repositories().values()))
    job = repository.get_full_job(JOB_NAME)
    run = create_run_for_test(
        instance,
        job_name=JOB_NAME,
        remote_job_origin=job.get_remote_origin(),
        job_code_origin=job.get_python_origin(),
        tags={"dagster/partition": "2026-03-10"},
    )
    instance.launch_run(run.run_id, location)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found


def health(instance: dg.DagsterInstance, run: dg.DagsterRun) -> WorkerStatus:
    assert isinstance(instance.run_launcher, CloudRunLauncher)
    return instance.run_launcher.check_run_worker_health(run).status


def test_a_run_is_one_execution_that_knows_its_run(
    google: FakeCloudRun, launched: dg.DagsterRun
) -> None:
    [request] = google.started
    assert request.name == JOB
    assert request.overrides.timeout.total_seconds() == 21600
    [override] = request.overrides.container_overrides
    *command, arguments = override.args
    assert command == ["dagster", "api", "execute_run"]
    assert json.loads(arguments)["pipeline_run_id"] == launched.run_id
    assert launched.tags[EXECUTION_TAG] == "execution-1"


def test_no_secret_travels_with_a_run(google: FakeCloudRun, launched: dg.DagsterRun) -> None:
    sent = run_v2.RunJobRequest.to_json(google.started[0])
    assert [secret for secret in SECRETS.values() if secret in sent] == []
    assert not google.started[0].overrides.container_overrides[0].env


def test_a_full_quota_is_waited_for(
    google: FakeCloudRun, instance: dg.DagsterInstance, location: Any
) -> None:
    google.refusals = [ResourceExhausted("quota"), ResourceExhausted("quota")]
    launch(instance, location)
    assert len(google.started) == 1


def test_a_refused_start_is_told(
    google: FakeCloudRun, instance: dg.DagsterInstance, location: Any
) -> None:
    google.refusals = [Forbidden("run.jobs.runWithOverrides")]
    with pytest.raises(Forbidden):
        launch(instance, location)
    [run] = instance.get_runs()
    assert run.status is dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize(
    ("execution", "status"),
    [
        (run_v2.Execution(reconciling=True), WorkerStatus.RUNNING),
        (run_v2.Execution(running_count=1), WorkerStatus.RUNNING),
        (run_v2.Execution(), WorkerStatus.RUNNING),
        (run_v2.Execution(succeeded_count=1), WorkerStatus.SUCCESS),
        (run_v2.Execution(failed_count=1), WorkerStatus.FAILED),
        (run_v2.Execution(cancelled_count=1), WorkerStatus.FAILED),
        (NotFound("deleted"), WorkerStatus.FAILED),
        (ServiceUnavailable("later"), WorkerStatus.RUNNING),
        (Forbidden("run.executions.get"), WorkerStatus.RUNNING),
        (TransportError("no token"), WorkerStatus.RUNNING),
    ],
    ids=str,
)
def test_only_a_run_that_is_lost_is_given_up(
    google: FakeCloudRun,
    instance: dg.DagsterInstance,
    launched: dg.DagsterRun,
    execution: run_v2.Execution | Exception,
    status: WorkerStatus,
) -> None:
    google.execution = execution
    assert health(instance, launched) is status
    assert google.asked == [f"{JOB}/executions/execution-1"]


def test_a_run_without_an_execution_yet_is_not_given_up(instance: dg.DagsterInstance) -> None:
    assert health(instance, create_run_for_test(instance)) is WorkerStatus.RUNNING


def test_a_stopped_run_stops_its_execution(
    google: FakeCloudRun, instance: dg.DagsterInstance, launched: dg.DagsterRun
) -> None:
    assert instance.run_launcher.terminate(launched.run_id)
    assert google.canceled == [f"{JOB}/executions/execution-1"]
    stopped = instance.get_run_by_id(launched.run_id)
    assert stopped is not None
    assert stopped.status is dg.DagsterRunStatus.CANCELED
