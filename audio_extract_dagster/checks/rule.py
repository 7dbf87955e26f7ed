"""What a check is: a name, the asset it is about, how grave it is, and a function that looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from audio_extract_dagster.settings import Settings
from audio_extract_dagster.storage import AudioStorage

# A check that fails names rows; a person needs some of them, not thousands.
NAMED_ROWS = 10


@dataclass(frozen=True)
class DayToCheck:
    """Where a check looks: one day in the database and in the storage, at one moment."""

    day: date
    now: datetime
    connection: Connection
    storage: AudioStorage
    settings: Settings


@dataclass(frozen=True)
class Found:
    """What a check found: problems in words (none: it passed), and numbers worth plotting."""

    problems: Sequence[str] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """A check of one asset; its name and description are those of the function that looks.

    `warns`: a failure is worth a look, but the day stands. `stops`: a failure fails the run.
    """

    asset: str
    look: Callable[[DayToCheck], Found]
    warns: bool = False
    stops: bool = False

    @property
    def name(self) -> str:
        return self.look.__name__

    @property
    def description(self) -> str:
        return (self.look.__doc__ or "").strip()


def rows_named(what: str, ids: Sequence[str]) -> list[str]:
    """A problem that names the rows concerned; none for no rows."""
    if not ids:
        return []
    more = f" and {len(ids) - NAMED_ROWS} more" if len(ids) > NAMED_ROWS else ""
    return [f"{len(ids)} {what}: {', '.join(ids[:NAMED_ROWS])}{more}"]
