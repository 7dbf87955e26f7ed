"""The manifests for Cloud Run fit the settings, the image, the instance and each other."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from audio_extract_dagster.settings import GENESYS, POSTGRES, Settings, read_settings
from audio_extract_dagster_tests.deploy.manifests import (
    ENVIRONMENTS,
    FOLDER,
    IMAGE,
    Container,
    Job,
    Service,
    filled_in,
    run_job,
    service,
    variables_of,
)
from audio_extract_dagster_tests.documents import ROOT, read

# Read by libpq, by dagster.yaml and by the image.
OTHER_VARIABLES = {"PGHOST", "REGION"}

each_environment = pytest.mark.parametrize("environment", ENVIRONMENTS)


def everything(environment: str) -> list[Service | Job]:
    services = [service(name, environment) for name in ("webserver", "daemon")]
    return [*services, run_job(environment)]


def containers(environment: str = "prod") -> list[Container]:
    return [each for manifest in everything(environment) for each in manifest.containers]


@each_environment
def test_the_settings_are_complete_and_readable(environment: str) -> None:
    for container in containers(environment):
        settings = read_settings(container.variables(), require=POSTGRES + GENESYS)
        assert settings.audio_storage_uri.startswith("gs://")
        assert not settings.uses_simulator
        assert not settings.postgres_is_local


def test_every_variable_is_one_that_somebody_reads() -> None:
    known = {name.upper() for name in Settings.model_fields} | OTHER_VARIABLES
    for container in containers():
        assert {each.name for each in container.env} <= known


def test_secrets_come_from_secret_manager() -> None:
    secret = {"PG_PASSWORD", "GENESYS_CLOUD_CLIENT_ID", "GENESYS_CLOUD_CLIENT_SECRET", "NOTIFY_URL"}
    for container in containers():
        assert {each.name for each in container.env if each.value_from} == secret
        assert all(each.value is None for each in container.env if each.value_from)


def test_every_role_has_the_same_image_and_the_same_environment() -> None:
    first, *others = containers()
    assert first.image == IMAGE
    assert all(each.image == IMAGE and each.env == first.env for each in others)


def test_environments_differ_by_the_same_few_variables() -> None:
    names = [set(variables_of(environment)) for environment in ENVIRONMENTS]
    assert names[0] == names[1] == names[2]
    used = {
        name
        for file in FOLDER.glob("*.yaml")
        for name in re.findall(r"\$\{(\w+)\}", file.read_text(encoding="utf-8"))
    }
    assert used == names[0] | {"IMAGE"}


def test_the_daemon_is_one_and_never_asleep() -> None:
    annotations = service("daemon").spec.template.metadata.annotations
    assert annotations["autoscaling.knative.dev/minScale"] == "1"
    assert annotations["autoscaling.knative.dev/maxScale"] == "1"
    assert annotations["run.googleapis.com/cpu-throttling"] == "false"
    assert service("daemon").metadata.annotations["run.googleapis.com/ingress"] == "internal"


def test_nobody_sees_the_ui_without_a_login() -> None:
    assert service("webserver").metadata.annotations["run.googleapis.com/iap-enabled"] == "true"


@pytest.mark.parametrize("name", ["webserver", "daemon"])
def test_one_container_answers_and_the_rest_waits_for_the_code_server(name: str) -> None:
    found = service(name)
    assert len([each for each in found.containers if each.ports]) == 1
    annotations = found.spec.template.metadata.annotations
    waits = json.loads(annotations["run.googleapis.com/container-dependencies"])
    assert waits == {name: ["code-server"]}
    assert {each.name for each in found.containers} == {name, "code-server"}
    server = next(each for each in found.containers if each.name == "code-server")
    workspace = yaml.safe_load(read("deploy/workspace.yaml"))["load_from"][0]["grpc_server"]
    assert workspace["host"] == "127.0.0.1"
    assert server.args[-1] == str(workspace["port"])
    assert server.startup_probe is not None
    assert server.startup_probe.tcp_socket is not None
    assert server.startup_probe.tcp_socket.port == workspace["port"]


def test_a_run_has_the_job_and_the_time_that_the_launcher_gives_it() -> None:
    launcher = yaml.safe_load(read("deploy/cloud-run/dagster.yaml"))["run_launcher"]["config"]
    job = run_job()
    workspace = yaml.safe_load(read("deploy/workspace.yaml"))["load_from"][0]["grpc_server"]
    assert launcher["job_name_by_code_location"] == {workspace["location_name"]: job.metadata.name}
    assert launcher["run_timeout"] == job.spec.template.spec.template.spec.timeout_seconds
    # A second try by Cloud Run would be a second worker of one Dagster run.
    assert job.spec.template.spec.template.spec.max_retries == 0


def test_each_role_has_an_account_of_its_own() -> None:
    accounts = [
        service(name).spec.template.spec.service_account_name for name in ("webserver", "daemon")
    ]
    accounts.append(run_job().spec.template.spec.template.spec.service_account_name)
    assert len(set(accounts)) == len(accounts)
    assert all(each.endswith(".iam.gserviceaccount.com") for each in accounts)


def test_what_the_image_holds_is_what_the_manifests_name() -> None:
    dockerfile = read("Dockerfile")
    home = containers()[0].variables()["DAGSTER_HOME"]
    workdir = re.findall(r"^WORKDIR (/srv\S+)", dockerfile, re.MULTILINE)[0]
    assert home == f"{workdir}/cloud-run"
    assert re.search(r"^COPY deploy/cloud-run/dagster.yaml cloud-run/$", dockerfile, re.MULTILINE)
    assert re.search(r"^COPY deploy/workspace.yaml \./$", dockerfile, re.MULTILINE)


def test_kubernetes_has_the_same_instance_and_the_same_dagster() -> None:
    text = read("deploy/kubernetes-values.yaml")
    values, instance = yaml.safe_load(text), yaml.safe_load(read("deploy/dagster.yaml"))
    [pinned] = re.findall(r'"dagster==([\d.]+)"', read("pyproject.toml"))
    assert re.findall(r"--version (\S+)", text) == [pinned]
    storage = instance["storage"]["postgres"]["postgres_db"]
    assert values["postgresql"]["postgresqlScheme"] == storage["scheme"]
    assert values["postgresql"]["postgresqlParams"] == storage["params"]
    daemon = values["dagsterDaemon"]
    queue = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    runs = instance["concurrency"]["runs"]["max_concurrent_runs"]
    assert queue["maxConcurrentRuns"] == runs
    pools = instance["concurrency"]["pools"]
    assert values["concurrency"]["pools"] == {
        "defaultLimit": pools["default_limit"],
        "granularity": pools["granularity"],
    }
    retries = instance["scheduler"]["config"]["max_tick_retries"]
    assert values["scheduler"]["config"]["daemonScheduler"]["maxTickRetries"] == retries
    freed = instance["run_monitoring"]["free_slots_after_run_end_seconds"]
    assert daemon["runMonitoring"]["freeSlotsAfterRunEndSeconds"] == freed
    loggers = instance["python_logs"]["managed_python_loggers"]
    assert values["pythonLogs"] == {"managedPythonLoggers": loggers}
    # The chart has the web server listen on the port of its service, and nobody there is root.
    assert values["dagsterWebserver"]["service"]["port"] >= 1024
    [deployment] = values["dagster-user-deployments"]["deployments"]
    images = {str(each["image"]) for each in (daemon, values["dagsterWebserver"], deployment)}
    assert len(images) == 1
    [released] = re.findall(r'^version = "([^"]+)"', read("pyproject.toml"), re.MULTILINE)
    assert values["dagsterWebserver"]["image"]["tag"] == released
    assert "audio_extract_dagster.definitions" in deployment["dagsterApiGrpcArgs"]


@pytest.mark.skipif(shutil.which("envsubst") is None, reason="envsubst is not installed")
@each_environment
def test_the_script_sends_what_is_tested_here(environment: str) -> None:
    sent = subprocess.run(
        [str(FOLDER / "deploy.sh"), environment, IMAGE],
        env={**os.environ, "DRY_RUN": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    names = ("run-job.yaml", "daemon.yaml", "webserver.yaml")
    expected = [filled_in(name, environment) for name in names]
    assert list(yaml.safe_load_all(sent.stdout)) == expected


@pytest.mark.parametrize("script", sorted((ROOT / "deploy").rglob("*.sh")), ids=lambda p: p.name)
def test_scripts_are_read_by_the_shell(script: object) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)
