"""A progress bar for the day that runs: it reads the ledger, so it costs the run nothing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import exc

from audio_extract_dagster.database.connection import open_engine
from audio_extract_dagster.database.ledger import accounts, jobs
from audio_extract_dagster.settings import Settings

_EVERY_SECONDS = 1.0


@contextmanager
def progress_of(settings: Settings, day: date) -> Iterator[None]:
    """Shows the stage and the calls that have their answer, on a terminal only."""
    console = Console(stderr=True)
    if not (console.is_terminal and sys.stderr.isatty()):
        yield
        return
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
            with engine.connect() as connection:
                running = jobs.running_jobs(connection, day)
                total, answered = accounts.progress(connection, day)
        except exc.DBAPIError:
            continue  # the run itself will say what is wrong
        stage = running[0].stage if running and running[0].stage else "starting"
        progress.update(
            task, description=f"{day}: {stage}", completed=answered, total=total or None
        )
    engine.dispose()
