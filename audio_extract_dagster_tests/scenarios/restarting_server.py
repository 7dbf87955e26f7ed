"""A PostgreSQL server that a scenario may stop and start again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from audio_extract_dagster.database.connection import open_engine
from audio_extract_dagster.database.migrate import migrate
from audio_extract_dagster.embedded.postgres import EmbeddedPostgres
from audio_extract_dagster_tests.postgres import Database, system_programs


class RestartingServer:
    """A server of its own that a scenario may stop and start again, on the same port.

    The server ends with the thread that started it, so one thread does nothing but that.
    """

    def __init__(self, folder: Path) -> None:
        self._postgres = EmbeddedPostgres(folder, bin_folder=system_programs())
        self._wishes: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._done: SimpleQueue[object] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve)

    @contextmanager
    def running(self) -> Iterator[Database]:
        self._thread.start()
        try:
            settings: Any = self._ask(self._postgres.start)
            migrate(engine := open_engine(settings), settings.schema)
            yield Database(settings, engine)
            engine.dispose()
        finally:
            self._ask(self._postgres.stop)
            self._wishes.put(None)
            self._thread.join()

    def stop(self) -> None:
        self._ask(self._postgres.stop)

    def start(self) -> None:
        self._ask(self._postgres.start)

    def _ask(self, wish: Callable[[], object]) -> object:
        self._wishes.put(wish)
        answer = self._done.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _serve(self) -> None:
        while (wish := self._wishes.get()) is not None:
            try:
                self._done.put(wish())
            except Exception as error:
                self._done.put(error)
