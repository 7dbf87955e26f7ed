"""What all messages have in common; `composition.py` makes it of the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from audio_extract_dagster.notify.texts import Texts


@dataclass(frozen=True)
class Letterhead:
    """How a message opens, its words, and where its links lead.

    `opening` is `EMAIL_MESSAGE`; `run_url` and `backfill_url` give the pages of a run and of a
    backfill in the UI by their ids; `timezone` names the zone of the hours in a drawing.
    """

    texts: Texts
    opening: str
    run_url: Callable[[str], str]
    backfill_url: Callable[[str], str]
    timezone: str
