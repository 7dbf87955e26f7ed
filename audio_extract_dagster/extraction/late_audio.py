"""When a day whose audio is not all there is asked for again by itself.

A pure function of what the ledger says is open. The pauses grow, because audio that did not come in
an hour may come in a day; after `LATE_AUDIO_DAYS` the run that asks last makes it `MISSING`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from audio_extract_dagster.model import OpenRecords, RecordStatus

FIRST_PAUSE = timedelta(hours=1)
LONGEST_PAUSE = timedelta(hours=24)
# Stuck conversations stay open for some 60 days.
PAUSE_OF_OPEN_CALLS = timedelta(days=7)


@dataclass(frozen=True)
class AskAgain:
    """A day to ask for again, why, and the look at it that this follows (`last_asked_at`)."""

    day: date
    why: str
    last_asked_at: datetime


def days_to_ask_again(
    groups: Iterable[OpenRecords],
    now: datetime,
    late_audio: timedelta,
    *,
    busy: Collection[date] = (),
) -> list[AskAgain]:
    """The days whose pause is over, oldest first, each once, without those that are `busy`.

    `FAILED` records are asked for again like pending ones, but only within `late_audio`: after
    that they stay `FAILED`, for a person to see.
    """
    due: dict[date, AskAgain] = {}
    for group in groups:
        given_up = group.status is RecordStatus.FAILED and (
            now - group.first_requested_at > late_audio
        )
        if given_up or group.call_date in busy or now - group.last_asked_at < _pause(group):
            continue
        why = f"{group.count} {group.status.value} after {group.attempts} requests"
        earlier = due.get(group.call_date)
        if earlier is not None:
            why = f"{earlier.why}, {why}"
        due[group.call_date] = AskAgain(group.call_date, why, group.last_asked_at)
    return [due[day] for day in sorted(due)]


def _pause(group: OpenRecords) -> timedelta:
    if group.call_is_open:
        return PAUSE_OF_OPEN_CALLS
    doublings = min(max(group.attempts - 1, 0), 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
