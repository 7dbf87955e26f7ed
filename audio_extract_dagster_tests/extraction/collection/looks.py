"""Batches on their way, and the looks at them, as the tests of a flight need them."""

from __future__ import annotations

from collections.abc import Sequence

from audio_extract_dagster.extraction.collection.flight import Flight
from audio_extract_dagster.extraction.collection.links import RecordingLinks
from audio_extract_dagster.genesys import BatchJobStatus, BatchResult
from audio_extract_dagster.model import Batch, KnownRecord
from audio_extract_dagster_tests.builders import call


def flight(*known: KnownRecord) -> Flight:
    """A batch of the calls c-1, with these records, and c-2."""
    calls = {"c-1": call("c-1", *known), "c-2": call("c-2")}
    return Flight(Batch("b-1", 1, tuple(calls)), calls, next_look=0, deadline=3600)


def link(
    recording_id: str | None = "r-1",
    conversation_id: str = "c-1",
    url: str = "https://files.example/1?signature",
    content_type: str | None = "audio/ogg",
) -> BatchResult:
    return BatchResult(conversation_id, recording_id, url, content_type)


def error(recording_id: str | None, conversation_id: str = "c-1") -> BatchResult:
    return BatchResult(conversation_id, recording_id, error="it is gone")


def look(
    flying: Flight, *results: BatchResult, expected: int | None = None, finished: bool = True
) -> list[RecordingLinks]:
    """One look at the batch, as far as its state is concerned."""
    flying.looked()
    count = len(results)
    expected = count if expected is None else expected
    errors = sum(result.url is None for result in results)
    status = "Completed" if finished else "InProgress"
    found = flying.absorb(BatchJobStatus(status, expected, count, errors, list(results)))
    flying.finished = flying.finished or finished
    return found


def keys(offered: Sequence[RecordingLinks]) -> list[tuple[str, str]]:
    return [recording.key for recording in offered]
