"""An extracted day, to be made unsound, and what the checks then find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from audio_extract_dagster.checks import ALL_CHECKS, DayToCheck, Found
from audio_extract_dagster.settings import Settings
from audio_extract_dagster.simulator import World
from audio_extract_dagster.storage import FolderStorage
from audio_extract_dagster_tests.postgres import Database
from audio_extract_dagster_tests.scenarios.day import TUESDAY, Scene


@dataclass(frozen=True)
class CheckedDay:
    """The day of a scene, and ways to look at it and to spoil it."""

    scene: Scene

    def sql(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        """Run a statement about the day (`:day`); returns its rows, if it gives any."""
        with self.scene.engine.begin() as connection:
            result = connection.execute(text(statement), {"day": TUESDAY, **values})
            return [tuple(row) for row in result] if result.returns_rows else []

    def some_call(self, condition: str) -> str:
        """The first call (`c`) that has a record (`r`) of which this is true."""
        calls = "agent_calls c JOIN audio_records r USING (conversation_id)"
        query = f"SELECT min(conversation_id) FROM {calls} WHERE {condition}"
        ((conversation_id,),) = self.sql(query)
        return str(conversation_id)

    def look(self, now: datetime | None = None) -> dict[str, Found]:
        """What every check finds, by its name."""
        with self.scene.engine.connect() as connection:
            test = DayToCheck(
                day=TUESDAY,
                now=now or self.scene.clock.now(),
                connection=connection,
                storage=FolderStorage(self.scene.folder),
                settings=Settings(),
            )
            return {check.name: check.look(test) for check in ALL_CHECKS}

    def problems(self, now: datetime | None = None) -> dict[str, Sequence[str]]:
        """The problems of the checks that do not pass."""
        return {name: found.problems for name, found in self.look(now).items() if found.problems}


@pytest.fixture
def day(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CheckedDay]:
    """A day that was extracted without a disturbance."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with Scene(World(seed=7, calls_per_day=40), database, tmp_path / "audio") as scene:
        assert scene.run().error is None
        yield CheckedDay(scene)
