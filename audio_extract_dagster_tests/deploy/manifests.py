"""The parts of Cloud Run's YAML that the manifests use, as types that refuse anything else.

The names are those of Google's "Cloud Run YAML reference". A key that is not here is a typing error
until somebody has looked it up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import yaml
from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from audio_extract_dagster_tests.documents import ROOT

FOLDER = ROOT / "deploy" / "cloud-run"
ENVIRONMENTS = ("dev", "stg", "prod")
IMAGE = "registry.example.com/audio-extract@sha256:0123"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class SecretKey(Strict):
    name: str
    key: str


class SecretValue(Strict):
    secret_key_ref: SecretKey


class Variable(Strict):
    name: str
    value: str | None = None
    value_from: SecretValue | None = None


class TcpSocket(Strict):
    port: int


class HttpGet(Strict):
    path: str
    port: int


class Probe(Strict):
    tcp_socket: TcpSocket | None = None
    http_get: HttpGet | None = None
    period_seconds: int
    timeout_seconds: int = 1
    failure_threshold: int = 3


class Port(Strict):
    name: Literal["http1", "h2c"]
    container_port: int


class Limits(Strict):
    cpu: Annotated[str, StringConstraints(pattern=r"^(1|2|4|6|8)$")]
    memory: Annotated[str, StringConstraints(pattern=r"^\d+(Mi|Gi)$")]


class Resources(Strict):
    limits: Limits


class Container(Strict):
    name: str = ""
    image: str
    args: list[str]
    ports: list[Port] = []
    startup_probe: Probe | None = None
    liveness_probe: Probe | None = None
    resources: Resources
    env: list[Variable]

    def variables(self) -> dict[str, str]:
        """Their values as the process sees them; a secret is some text that could be an address."""
        return {each.name: "https://x" if each.value is None else each.value for each in self.env}


class Metadata(Strict):
    name: str = ""
    labels: Mapping[Literal["cloud.googleapis.com/location"], str] = {}
    annotations: Mapping[
        Literal[
            "autoscaling.knative.dev/maxScale",
            "autoscaling.knative.dev/minScale",
            "run.googleapis.com/cloudsql-instances",
            "run.googleapis.com/container-dependencies",
            "run.googleapis.com/cpu-throttling",
            "run.googleapis.com/execution-environment",
            "run.googleapis.com/iap-enabled",
            "run.googleapis.com/ingress",
            "run.googleapis.com/startup-cpu-boost",
        ],
        str,
    ] = {}


class Traffic(Strict):
    percent: Literal[100]
    latest_revision: Literal[True]


class RevisionSpec(Strict):
    service_account_name: str
    container_concurrency: int = 80
    timeout_seconds: int = 300
    containers: list[Container]


class Revision(Strict):
    metadata: Metadata
    spec: RevisionSpec


class ServiceSpec(Strict):
    template: Revision
    traffic: list[Traffic]


class Service(Strict):
    api_version: Literal["serving.knative.dev/v1"]
    kind: Literal["Service"]
    metadata: Metadata
    spec: ServiceSpec

    @property
    def containers(self) -> list[Container]:
        return self.spec.template.spec.containers


class TaskSpec(Strict):
    service_account_name: str
    max_retries: int
    timeout_seconds: int
    containers: Annotated[list[Container], Field(max_length=1)]


class Task(Strict):
    spec: TaskSpec


class ExecutionSpec(Strict):
    parallelism: Literal[1]
    task_count: Literal[1]
    template: Task


class Execution(Strict):
    metadata: Metadata
    spec: ExecutionSpec


class JobSpec(Strict):
    template: Execution


class Job(Strict):
    api_version: Literal["run.googleapis.com/v1"]
    kind: Literal["Job"]
    metadata: Metadata
    spec: JobSpec

    @property
    def containers(self) -> list[Container]:
        return self.spec.template.spec.template.spec.containers


def filled_in(name: str, environment: str) -> dict[str, Any]:
    """A manifest as `deploy.sh` sends it, by the rules of `envsubst`."""
    values = {**variables_of(environment), "IMAGE": IMAGE}
    text = (FOLDER / name).read_text(encoding="utf-8")
    text = re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], text)
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def variables_of(environment: str) -> dict[str, str]:
    """What makes one environment differ from another."""
    read = dotenv_values(FOLDER / f"{environment}.env")
    return {name: value or "" for name, value in read.items()}


def service(name: str, environment: str = "prod") -> Service:
    return Service.model_validate(filled_in(f"{name}.yaml", environment))


def run_job(environment: str = "prod") -> Job:
    return Job.model_validate(filled_in("run-job.yaml", environment))
