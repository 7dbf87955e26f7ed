"""Google's clients for Cloud Run, by hand: they keep what they are asked and answer as told."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

from google.cloud import run_v2


@dataclass
class FakeCloudRun:
    """The Cloud Run of one project. An exception in an answer's place is raised."""

    started: list[run_v2.RunJobRequest] = field(default_factory=list)
    canceled: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)
    """Raised by the next starts, one each."""
    execution: run_v2.Execution | Exception = field(default_factory=run_v2.Execution)

    def run_job(self, request: run_v2.RunJobRequest) -> SimpleNamespace:
        if self.refusals:
            raise self.refusals.pop(0)
        self.started.append(request)
        name = f"{request.name}/executions/execution-{len(self.started)}"
        return SimpleNamespace(metadata=SimpleNamespace(name=name))

    def get_execution(self, request: run_v2.GetExecutionRequest) -> run_v2.Execution:
        self.asked.append(request.name)
        if isinstance(self.execution, Exception):
            raise self.execution
        return self.execution

    def cancel_execution(self, request: run_v2.CancelExecutionRequest) -> None:
        self.canceled.append(request.name)
