"""When a day whose audio is not all there is asked for again by itself.

A pure function of what the ledger says is open. The pauses grow, because audio that did not come in
an hour may come in a day; after `LATE_AUDIO_DAYS` the run that asks last makes it `MISSING`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from audio_extract_dagster.extraction.outcomes import NEVER_CLOSED_AFTER
from audio_extract_dagster.model import Job, OpenRecords, RecordStatus

FIRST_PAUSE = timedelta(hours=1)
LONGEST_PAUSE = timedelta(hours=24)
# Stuck conversations stay open for some 60 days. Whether one has ended is seen by listing its day.
PAUSE_OF_OPEN_CALLS = timedelta(days=7)


@dataclass(frozen=True)
class AskAgain:
    """A day to ask for again, and why; `after` is the run of the day that this one follows."""

    day: date
    why: str
    after: str | None


def days_to_ask_again(
    groups: Iterable[OpenRecords],
    now: datetime,
    late_audio: timedelta,
    last_jobs: Mapping[date, Job],
    busy: Collection[date] = (),
) -> list[AskAgain]:
    """The days whose pause is over, oldest first, each once, without those that are `busy`.

    The pause counts from the last asking, and the first pause from the last run, which may have
    failed before it could ask.

    `FAILED` records are asked for again like pending ones, but only within `late_audio`: after
    that they stay `FAILED`, for a person to see. Of calls that were open when their audio was
    stored, a run lists the day again, and asks for those that have ended.
    """
    due: dict[date, AskAgain] = {}
    for group in groups:
        if group.call_date in busy or _is_given_up(group, now, late_audio):
            continue
        last_job = last_jobs.get(group.call_date)
        if now - group.last_asked_at < _pause(group):
            continue
        if last_job is not None and now - last_job.started_at < _pause_after_run(group):
            continue
        why = _why(group)
        earlier = due.get(group.call_date)
        if earlier is not None:
            why = f"{earlier.why}, {why}"
        after = last_job.run_id if last_job else None
        due[group.call_date] = AskAgain(group.call_date, why, after)
    return [due[day] for day in sorted(due)]


def _why(group: OpenRecords) -> str:
    if group.status is RecordStatus.STORED:
        return f"{group.count} STORED before their calls had ended"
    return f"{group.count} {group.status.value} after {group.attempts} requests"


def _is_given_up(group: OpenRecords, now: datetime, late_audio: timedelta) -> bool:
    if group.status is RecordStatus.PENDING:
        return False  # the run that asks last says so
    given_up_after = late_audio if group.status is RecordStatus.FAILED else NEVER_CLOSED_AFTER
    return now - group.newest_since > given_up_after


def _pause_after_run(group: OpenRecords) -> timedelta:
    # What is stored is not asked for while the call is open: then only the run tells of the look.
    return PAUSE_OF_OPEN_CALLS if group.status is RecordStatus.STORED else FIRST_PAUSE


def _pause(group: OpenRecords) -> timedelta:
    if group.call_is_open:
        return PAUSE_OF_OPEN_CALLS
    doublings = min(max(group.attempts - 1, 0), 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
