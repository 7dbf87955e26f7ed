"""Audio files from the wire into the storage: `DownloadPool` against `curl --parallel`.

Ours receives, hashes, looks at each file and names it; once as in production, where content, name
and folder are synced to the disk, and once without these syncs, as curl does.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path
from unittest.mock import patch

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.download.downloader import Downloader
from audio_extract_dagster.extraction.download_pool import DownloadPool
from audio_extract_dagster.extraction.flight import Flight, Link, RecordingLinks
from audio_extract_dagster.model import Batch
from audio_extract_dagster.storage import FolderStorage
from benchmarks.measure import Candidate, Finding, compare, main, say, timed
from benchmarks.surroundings import folder, helper, put_away

_THREADS = 32
_CURL = "curl --parallel --parallel-max 32"
_DAY = date(2026, 3, 10)

# Files, bytes of each, latency in ms, targets with and without syncing.
_CASES = (
    (2000, 300_000, 30, 1.0, 0.8),
    (2000, 300_000, 0, 1.6, 1.3),
    (300, 5_000_000, 0, None, 1.1),
)


def measure(rounds: int) -> list[Finding]:
    findings = []
    for files, size, latency, durable_target, target in _CASES:
        what = f"{files} files of {size / 1e6:g} MB, {latency} ms"
        say(what)
        with ExitStack() as stack:
            home = stack.enter_context(folder())
            arguments = ["--size", str(size), "--latency-ms", str(latency)]
            url = stack.enter_context(helper("file_server", *arguments))
            ours = partial(_ours, url, files, home)
            findings += compare(
                _CURL,
                partial(_curl, url, files, home),
                [
                    Candidate(f"{what}: received, hashed, looked at", partial(ours, False), target),
                    Candidate(f"{what}: and synced to disk", partial(ours, True), durable_target),
                ],
                rounds,
            )
    return findings


def _curl(url: str, files: int, home: Path) -> float:
    target = home / "curl"
    target.mkdir()
    listed = home / "curl.txt"
    listed.write_text("".join(f'url="{url}{n}"\noutput="{target}/{n}"\n' for n in range(files)))
    command = [*_CURL.split(), "-sS", "--no-progress-meter", "--config", str(listed)]
    seconds = timed(partial(subprocess.run, command, check=True))
    _remove(target, files)
    return seconds


def _ours(url: str, files: int, home: Path, durable: bool) -> float:
    target = home / "ours"
    storage = FolderStorage(target)
    with ExitStack() as stack:
        downloader = stack.enter_context(Downloader(storage, clock=SystemClock()))
        if not durable:
            stack.enter_context(patch("os.fsync", lambda _number: None))
        seconds = timed(partial(_fetch_all, downloader, url, files))
    _remove(target, files)
    return seconds


def _fetch_all(downloader: Downloader, url: str, files: int) -> None:
    flight = Flight(Batch("benchmark", 1, ()), {}, next_look=0, deadline=0)
    with DownloadPool(downloader, _DAY, _THREADS, lambda _: None) as pool:
        for recording in _recordings(url, files):
            pool.fetch(flight, recording)
        while pool.outstanding:
            for arrival in pool.arrivals(wait_seconds=1):
                if arrival.stored is None:
                    raise RuntimeError(f"not stored: {arrival.error or arrival.reason}")


def _recordings(url: str, files: int) -> Iterator[RecordingLinks]:
    for number in range(files):
        link = Link(f"{url}{number}", "audio/wav")
        yield RecordingLinks(f"conversation-{number}", f"recording-{number}", (link,))


def _remove(target: Path, files: int) -> None:
    found = sum(path.is_file() for path in target.rglob("*"))
    if found != files:
        raise RuntimeError(f"{found} files instead of {files}")
    put_away(target)


if __name__ == "__main__":
    main(measure)
