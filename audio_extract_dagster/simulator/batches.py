"""Batch download jobs: from the items of a request to results that appear over time.

A job's outcome is settled when it is submitted; polls show more and more of it. Jobs live as long
as the process and belong to the client that submitted them.
"""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from audio_extract_dagster.simulator.chance import repeatable
from audio_extract_dagster.simulator.messages import ApiError, bad_request, not_found
from audio_extract_dagster.simulator.model import Conversation, Payload, Recording
from audio_extract_dagster.simulator.org import File, Org

Item = tuple[str, str | None]
"""Conversation id, and recording id or None for all recordings of the conversation."""

_ERRORS = {
    "UPLOADING": "Recording is uploading",
    "RESTORING": "Recording is restoring",
    "ARCHIVED": "Recording is archived",
    "DELETED": "Recording is deleted",
    "ERROR": "Recording is in error",
}


@dataclass(slots=True)
class Result:
    """One entry of a job's results; `link` is set when the entry is shown for the first time."""

    conversation_id: str
    recording_id: str | None = None
    error: str | None = None
    file: File | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """What a test may want to know of a POST that made a job."""

    job_id: str
    client_id: str
    items: tuple[Item, ...]


@dataclass(slots=True)
class Job:
    submission: Submission
    results: list[Result]
    submitted: float  # by the clock's monotonic time
    polls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Batches:
    """All jobs of an org. Safe for threads."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._rng = repeatable("batches")
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._available = itertools.count(1)

    @property
    def submissions(self) -> list[Submission]:
        """Every job so far, in the order of submission."""
        with self._lock:
            return [job.submission for job in self._jobs.values()]

    def submit(self, client_id: str, items: Sequence[Item]) -> str:
        """Make a job; returns its id. Raises `ApiError` for a request the platform refuses."""
        limit = self._org.switches.max_batch_items
        if not 1 <= len(items) <= limit:
            raise bad_request(f"A batch download request must have between 1 and {limit} items.")
        results = [result for item in dict.fromkeys(items) for result in self._results(*item)]
        results += self._strange_results(results)
        with self._lock:
            if self._org.switches.batch_shuffles:
                self._rng.shuffle(results)
            # Never repeatable: a client may remember the jobs of an earlier process.
            job_id = str(uuid.uuid4())
            submission = Submission(job_id, client_id, tuple(items))
            self._jobs[job_id] = Job(submission, results, self._org.clock.monotonic())
        return job_id

    def status(self, client_id: str, job_id: str) -> Payload:
        """The job as this client sees it now. Raises `ApiError` if it must not or cannot."""
        switches = self._org.switches
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None:
            raise not_found(f"the batch request {job_id}")
        if job.submission.client_id != client_id:
            if switches.other_client == "forbidden":
                raise ApiError(403, "not.authorized", "You are not authorized to see this job.")
            raise not_found(f"the batch request {job_id}")
        age = self._org.clock.monotonic() - job.submitted
        retention = switches.batch_retention_seconds
        if retention is not None and age >= retention:
            raise not_found(f"the batch request {job_id}")
        with job.lock:
            job.polls += 1
            return self._view(job, self._progress(job.polls, age))

    def _progress(self, polls: int, age: float) -> float:
        """From 0 (nothing known) to 1 (everything processed)."""
        switches = self._org.switches
        if switches.batch_polls is not None:
            return min(1.0, polls / switches.batch_polls)
        return min(1.0, age / switches.batch_seconds) if switches.batch_seconds > 0 else 1.0

    def _view(self, job: Job, progress: float) -> Payload:
        shown, expected, done = self._extent(len(job.results), progress)
        results = job.results[:shown]
        view: Payload = {
            "jobId": job.submission.job_id,
            "expectedResultCount": expected,
            "resultCount": shown,
            "errorCount": sum(result.error is not None for result in results),
            "selfUri": f"/api/v2/recording/batchrequests/{job.submission.job_id}",
        }
        if results or progress >= 1.0:
            view["results"] = [self._entry(result) for result in results]
        if self._org.switches.batch_status_field:
            view["status"] = "Completed" if done else "InProgress"
        return view

    def _extent(self, total: int, progress: float) -> tuple[int, int, bool]:
        """How many results are shown, how many are expected, and whether the job is complete."""
        switches = self._org.switches
        if progress >= 1.0 and switches.batch_completes:
            return total, total, total > 0 or switches.empty_batch == "completed"
        if progress >= 1.0:
            return max(0, total - 1), total, False
        shown = int(total * progress)
        if shown == 0:
            return 0, 0, False  # just after the submission the job knows nothing
        return shown, min(total, shown + 1) if switches.batch_expected_rises else total, False

    def _entry(self, result: Result) -> Payload:
        entry: Payload = {"conversationId": result.conversation_id}
        if result.recording_id is not None:
            entry["recordingId"] = result.recording_id
        if result.error is not None:
            entry["errorMsg"] = result.error
        elif result.file is not None:
            if result.link is None or self._org.switches.links_resigned:
                result.link = self._org.link(result.file)
            entry["resultUrl"] = result.link
            entry["contentType"] = self._org.content_type(result.file.recording)
        return entry

    def _results(self, conversation_id: str, recording_id: str | None) -> Iterator[Result]:
        """The results of one item."""
        switches = self._org.switches
        conversation = self._org.find(conversation_id)
        if conversation is None:
            if switches.unknown_conversation == "bad_request":
                raise bad_request(f"Conversation {conversation_id} was not found.")
            yield Result(conversation_id, recording_id, error="Conversation not found")
            return
        found = self._org.recordings(conversation)
        if recording_id is not None:
            found = tuple(recording for recording in found if recording.id == recording_id)
            if not found:
                yield Result(conversation_id, recording_id, error="Recording not found")
        elif not found and switches.no_recording == "error":
            yield Result(conversation_id, error="No recordings found for conversation")
        for recording in found:
            yield from self._of_recording(conversation, recording)

    def _of_recording(self, conversation: Conversation, recording: Recording) -> Iterator[Result]:
        switches = self._org.switches
        state = self._org.state(recording)
        if state in ("UPLOADING", "RESTORING") and switches.uploading == "nothing":
            return
        if state != "AVAILABLE" and not (state == "ARCHIVED" and switches.archived == "file"):
            yield Result(conversation.id, recording.id, error=_ERRORS[state])
            return
        if recording.sensitive and switches.sensitive_left_out:
            return
        if switches.withheld_every and next(self._available) % switches.withheld_every == 0:
            return
        for part in range(recording.parts):
            file = File(conversation.id, recording, conversation.recordings.index(recording), part)
            yield Result(conversation.id, recording.id, file=file)

    def _strange_results(self, results: Sequence[Result]) -> Iterator[Result]:
        """What no item stands behind: entries without link and error, or of other conversations."""
        switches = self._org.switches
        real = [result for result in results if result.file is not None]
        for result in real[: switches.bare_results]:
            result.file = None
        for result in real[-switches.unasked_results :] if switches.unasked_results else []:
            yield Result(str(uuid.uuid4()), str(uuid.uuid4()), file=result.file)
