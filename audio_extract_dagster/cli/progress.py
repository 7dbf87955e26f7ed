"""A progress bar for the day that runs: it reads the ledger, so it costs the run nothing."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from audio_extract_dagster.database.connection import (
    DatabaseRefused,
    DatabaseUnavailable,
    open_engine,
    reading,
)
from audio_extract_dagster.database.ledger import accounts, jobs
from audio_extract_dagster.settings import Settings

_EVERY_SECONDS = 1.0


@contextmanager
def progress_of(settings: Settings, day: date) -> Iterator[None]:
    """Shows the stage and the calls that have their answer, on a terminal only."""
    if not sys.stderr.isatty():
        yield
        return
    # A way of its own to the terminal: Dagster sends what a step writes to stderr into its log.
    with (
        os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8") as terminal,
        _followed(settings, day, Console(file=terminal)),
    ):
        yield


@contextmanager
def _followed(settings: Settings, day: date, console: Console) -> Iterator[None]:
    done = threading.Event()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        thread = threading.Thread(target=_follow, args=(settings, day, progress, done), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _follow(settings: Settings, day: date, progress: Progress, done: threading.Event) -> None:
    engine = open_engine(settings.postgres())
    task = progress.add_task(f"{day}: starting", total=None)
    while not done.wait(_EVERY_SECONDS):
        try:
            with reading(engine) as connection:
                running = jobs.running_jobs(connection, day)
                total, answered = accounts.progress(connection, day)
        except (DatabaseRefused, DatabaseUnavailable):
            continue  # the run itself will say what is wrong
        if running and running[0].stage:
            progress.update(task, description=f"{day}: {running[0].stage}")
        progress.update(task, completed=answered, total=total or None)
    engine.dispose()
