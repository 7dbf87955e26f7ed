"""Runs as executions of a Cloud Run job (the extra `cloud-run`).

Named in the instance's dagster.yaml, and imported by nobody else. How an execution is started and
stopped is the community's launcher; here is only what it answers when Dagster's run monitoring asks
for the health of a run. Monitoring fails a run for any answer but running or succeeded, also for
"unknown", so an unknown that says nothing about the run must not be given.
"""

from dagster import DagsterRun
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster_contrib_gcp.cloud_run.run_launcher import CloudRunRunLauncher
from google.api_core.exceptions import GoogleAPICallError, NotFound, RetryError
from google.auth.exceptions import GoogleAuthError
from google.cloud import run_v2

# Set by the launcher on the run.
EXECUTION_TAG = "cloud_run_job_execution_id"


class CloudRunLauncher(CloudRunRunLauncher):
    """Tells a run that is lost from a Google Cloud that does not answer at the moment."""

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """How the run's execution is; one that cannot be asked about counts as running.

        The sensor `vanished_runs` sees a run that is gone by its lock, whatever Google answers.
        """
        execution_id = run.tags.get(EXECUTION_TAG)
        if execution_id is None or run.remote_job_origin is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "its execution is not known yet")
        job = self.fully_qualified_job_name(run.remote_job_origin.location_name)
        try:
            execution = self.executions_client.get_execution(
                request=run_v2.GetExecutionRequest(name=f"{job}/executions/{execution_id}")
            )
        except NotFound:
            return CheckRunHealthResult(WorkerStatus.FAILED, f"execution {execution_id} is gone")
        except (GoogleAPICallError, RetryError, GoogleAuthError) as error:
            cause = type(error).__name__
            return CheckRunHealthResult(WorkerStatus.RUNNING, f"Cloud Run does not tell: {cause}")
        if execution.failed_count or execution.cancelled_count:
            return CheckRunHealthResult(WorkerStatus.FAILED, f"see {execution.log_uri}")
        if execution.succeeded_count:
            return CheckRunHealthResult(WorkerStatus.SUCCESS)
        return CheckRunHealthResult(WorkerStatus.RUNNING)
