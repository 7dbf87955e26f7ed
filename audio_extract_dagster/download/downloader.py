"""Fetch one audio file from its link into the storage: whole, looked at, hashed, durable.

What to do about a file that cannot be had (a new link, a new batch, giving up) is not decided here;
connections and statuses are in `file_host.py`, what makes a file audio in `audio_file.py`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.download.audio_file import AudioFile, inspect
from audio_extract_dagster.download.audio_formats import NotAudio
from audio_extract_dagster.download.errors import HostBusy, TransferBroken, WrongBody
from audio_extract_dagster.download.file_host import FileHost
from audio_extract_dagster.download.policy import DownloadPolicy
from audio_extract_dagster.download.turns import Turns
from audio_extract_dagster.redaction import host_of
from audio_extract_dagster.storage import (
    AudioStorage,
    Staged,
    StoredFile,
    audio_key,
    refuse_if_lost,
)
from audio_extract_dagster.storage.errors import disk_errors

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Received:
    """A file that has come whole and has no name yet."""

    stem: str
    staged: Staged
    audio: AudioFile

    @property
    def key(self) -> str:
        """The name it is to have: its stem plus the extension that it deserves."""
        return audio_key(self.stem, self.audio.extension)


class Downloader:
    """Fetches files, one for each thread that asks; safe for threads."""

    def __init__(
        self,
        storage: AudioStorage,
        *,
        clock: Clock,
        policy: DownloadPolicy | None = None,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._policy = policy or DownloadPolicy()
        self._host = FileHost(self._policy)
        # Apart, so that one file is hashed while another one is written.
        self._writing, self._hashing = Turns(clock), Turns(clock)
        self._adding = threading.Lock()
        self._seconds = 0.0

    @property
    def seconds(self) -> float:
        """How long it has worked so far, with pauses, summed over what was done side by side."""
        return self._seconds

    def close(self) -> None:
        """Close the connections."""
        self._host.close()

    def __enter__(self) -> Downloader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def receive(
        self,
        url: str,
        stem: str,
        declared_content_type: str | None,
        canceled: threading.Event | None = None,
    ) -> Iterator[Received]:
        """The file behind `url`, whole and found to be audio; gone at the end unless it was kept.

        `stem` comes from `audio_stem`. Raises `LinkExpired`, `UnsafeLink`, `TransferBroken`,
        `WrongBody` or an error of the storage; then nothing of the file is left. Once `canceled` is
        set, nothing is tried again.
        """
        with self._timed():
            received = self._receive_patiently(
                url, stem, declared_content_type, canceled or threading.Event()
            )
        with received.staged:
            yield received

    def keep(self, received: Received) -> StoredFile:
        """Give a received file its name; it takes the place of a file that has it."""
        content_type = received.audio.content_type
        with self._timed():
            return self._storage.commit(received.staged, received.key, content_type=content_type)

    def discard(self, stem: str, but: str = "") -> None:
        """Remove the files of `stem` with any extension, but for the key `but`."""
        for key, _ in list(self._storage.list(f"{stem}.")):
            if key != but:
                self._storage.delete(key)

    def refuse_if_lost(self, uris: Iterable[str]) -> None:
        """Raise `StorageUnavailable` if the storage is empty, though it had these files."""
        refuse_if_lost(self._storage, uris)

    def remove_temporary(self, call_date: date) -> int:
        """Remove what dead runs of the day left half-written; returns how many files."""
        return self._storage.remove_temporary(call_date)

    def _receive_patiently(
        self, url: str, stem: str, declared_content_type: str | None, canceled: threading.Event
    ) -> Received:
        tries, waits, waited = 0, 0, 0.0
        failure: TransferBroken | WrongBody
        while True:
            try:
                return self._try(url, stem, declared_content_type)
            except HostBusy as busy:
                pause = self._pause(waits) if busy.wait_seconds is None else busy.wait_seconds
                waits, waited, failure = waits + 1, waited + pause, busy
                if pause > self._policy.longest_wait_seconds:
                    raise
                if waited > self._policy.all_waits_seconds:
                    raise
            except (TransferBroken, WrongBody) as error:
                tries, pause, failure = tries + 1, self._pause(tries), error
                if tries >= self._policy.tries:
                    raise
            reason = failure.reason
            _log.debug("%s from %s: %s; again in %.0f s", stem, host_of(url), reason, pause)
            if self._clock.wait(canceled, pause):
                raise failure

    def _pause(self, earlier: int) -> float:
        return min(
            self._policy.first_pause_seconds * 2.0**earlier, self._policy.longest_wait_seconds
        )

    def _try(self, url: str, stem: str, declared_content_type: str | None) -> Received:
        staged = self._storage.stage(stem)
        try:
            audio = self._receive(url, staged, declared_content_type)
        except BaseException:
            staged.discard()
            raise
        return Received(stem, staged, audio)

    def _receive(self, url: str, staged: Staged, declared_content_type: str | None) -> AudioFile:
        self._host.receive(url, partial(self._take_in, staged))
        try:
            with disk_errors(staged.place):
                return inspect(staged.content(), declared_content_type)
        except NotAudio as error:
            raise WrongBody(host_of(url), error.reason) from None

    def _take_in(self, staged: Staged, piece: memoryview) -> None:
        self._writing.take(staged.write, piece)
        self._hashing.take(staged.hash, piece)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        started = self._clock.monotonic()
        try:
            yield
        finally:
            seconds = self._clock.monotonic() - started
            with self._adding:
                self._seconds += seconds
