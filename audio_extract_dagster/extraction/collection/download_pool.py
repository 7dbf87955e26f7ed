"""Many downloads at a time: threads that fetch recordings and hand back what became of each.

One unit of work is one recording with all its parts. How one file is fetched is in
`download/downloader.py`.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date

from audio_extract_dagster.download.audio_file import AudioFile
from audio_extract_dagster.download.downloader import Downloader, Received
from audio_extract_dagster.download.errors import (
    LinkExpired,
    TransferBroken,
    UnsafeLink,
    WrongBody,
)
from audio_extract_dagster.extraction.collection.flight import Flight
from audio_extract_dagster.extraction.collection.links import RecordingLinks
from audio_extract_dagster.model import Reason, StoredPart, StoredRecording
from audio_extract_dagster.storage import StoredFile, audio_stem

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Arrival:
    """What became of one recording: stored, not stored for a reason, or an error for the run."""

    flight: Flight
    recording: RecordingLinks
    stored: StoredRecording | None = None
    reason: Reason | None = None
    error: Exception | None = None


class DownloadPool:
    """Fetches recordings of one day with `concurrency` threads. A context manager.

    `before_replacing` is told, by one of these threads, of a recording whose files are about to
    take the places of others that rows claim.
    """

    def __init__(
        self,
        downloader: Downloader,
        call_date: date,
        concurrency: int,
        before_replacing: Callable[[RecordingLinks], None],
    ) -> None:
        self._downloader = downloader
        self._before_replacing = before_replacing
        self._call_date = call_date
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="download")
        self._arrivals: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        self._told: set[str] = set()
        self._canceled = threading.Event()
        self.outstanding = 0

    def __enter__(self) -> DownloadPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()

    def fetch(self, flight: Flight, recording: RecordingLinks) -> None:
        """Queue one recording; its arrival comes out of `arrivals`."""
        self.outstanding += 1
        self._threads.submit(self._fetch, flight, recording)

    def arrivals(self, wait_seconds: float = 0) -> Iterator[Arrival]:
        """What has ended, waiting at most so long for the first one."""
        while self.outstanding:
            try:
                arrival = self._arrivals.get(wait_seconds > 0, wait_seconds)
            except queue.Empty:
                return
            wait_seconds = 0
            self.outstanding -= 1
            yield arrival

    def cancel(self) -> None:
        """Drop what is queued, try nothing again; what is being fetched now still arrives.

        That is waited for, and has an end: what comes slower than it plays is broken off.
        """
        self._canceled.set()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _fetch(self, flight: Flight, recording: RecordingLinks) -> None:
        try:
            self._arrivals.put(self._store(flight, recording))
        except Exception as error:  # handed to the thread that coordinates, which raises it
            self._arrivals.put(Arrival(flight, recording, error=error))

    def _store(self, flight: Flight, recording: RecordingLinks) -> Arrival:
        """All parts or none: no file gets its name before the last of them has come."""
        with ExitStack() as unnamed:
            try:
                received = [
                    unnamed.enter_context(
                        self._downloader.receive(
                            link.url,
                            self._stem(recording, part),
                            link.content_type,
                            self._canceled,
                        )
                    )
                    for part, link in recording.parts
                ]
            except (LinkExpired, TransferBroken, WrongBody, UnsafeLink) as error:
                self._tell(error)
                return Arrival(flight, recording, reason=_reason(error))
            files = self._name(recording, received)
        parts = tuple(
            _stored_part(part, file, each.audio)
            for (part, _), each, file in zip(recording.parts, received, files, strict=True)
        )
        stored = StoredRecording(recording.conversation_id, recording.recording_id, parts)
        return Arrival(flight, recording, stored=stored)

    def _name(self, recording: RecordingLinks, received: Sequence[Received]) -> list[StoredFile]:
        """Give the files their names, and remove those whose places they take."""
        if recording.replaces:
            self._before_replacing(recording)
        # A file in the way belongs to no STORED row, or its recording comes again.
        files = [self._downloader.keep(each) for each in received]
        if recording.replaces:
            for each in received:
                self._downloader.discard(each.stem, but=each.key)
        if len(files) > 1:
            # The parts may have come one by one, the first of them as if it were the only one.
            self._downloader.discard(self._stem(recording, 0))
        return files

    def _tell(self, error: Exception) -> None:
        """One warning for each host and what it did, not one for each of thousands of files."""
        text = str(error)
        log.log(logging.DEBUG if text in self._told else logging.WARNING, "%s", text)
        self._told.add(text)

    def _stem(self, recording: RecordingLinks, part: int) -> str:
        return audio_stem(self._call_date, *recording.key, part)


def _stored_part(part: int, file: StoredFile, audio: AudioFile) -> StoredPart:
    return StoredPart(
        part, file.uri, audio.content_type, file.size_bytes, file.sha256, audio.duration_seconds
    )


def _reason(error: Exception) -> Reason:
    if isinstance(error, LinkExpired):
        return Reason.LINK_EXPIRED
    if isinstance(error, TransferBroken):
        return Reason.TRANSFER_BROKEN
    if isinstance(error, WrongBody):
        return Reason.NOT_AUDIO
    # An odd link costs its recording, not the day; many fail the day as a whole.
    return Reason.NOT_DELIVERED
