"""Fetches the files of a `file_server` once and says how many seconds it took.

A process of its own for `download.py`: what one candidate leaves in memory is not the next one's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path
from unittest.mock import patch

import click

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.download.downloader import Downloader
from audio_extract_dagster.extraction.collection.download_pool import DownloadPool
from audio_extract_dagster.extraction.collection.flight import Flight
from audio_extract_dagster.extraction.collection.links import Link, RecordingLinks
from audio_extract_dagster.model import Batch
from audio_extract_dagster.storage import FolderStorage
from benchmarks.measure import timed

_THREADS = 32
_DAY = date(2026, 3, 10)


@click.command(help=__doc__)
@click.argument("url")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--files", type=int, required=True)
@click.option("--sync/--no-sync", default=True, help="Whether files are synced to the disk.")
def main(url: str, target: Path, files: int, sync: bool) -> None:
    with ExitStack() as stack:
        storage = FolderStorage(target)
        downloader = stack.enter_context(Downloader(storage, clock=SystemClock()))
        if not sync:
            stack.enter_context(patch("os.fsync", lambda _number: None))
        click.echo(timed(partial(_fetch_all, downloader, url, files)))


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


if __name__ == "__main__":
    main()
