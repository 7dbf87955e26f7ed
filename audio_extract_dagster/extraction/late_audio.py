"""When a day whose audio is not all there is asked for again by itself.

A pure function of what the ledger says is open. The pauses grow, because audio that did not come in
an hour may come in a day; after `LATE_AUDIO_DAYS` the run that asks last makes it `MISSING`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from audio_extract_dagster.extraction.outcomes import NEVER_CLOSED_AFTER
from audio_extract_dagster.model import CallsToLookAt, Job, OpenRecords, RecordStatus

FIRST_PAUSE = timedelta(hours=1)
LONGEST_PAUSE = timedelta(hours=24)
# Stuck conversations stay open for some 60 days. Whether one has ended is seen by listing its day.
PAUSE_OF_OPEN_CALLS = timedelta(days=7)
# The last look is after day 70, when nothing is open any more.
LOOKED_AT_FOR = NEVER_CLOSED_AFTER + PAUSE_OF_OPEN_CALLS
# The stages of a run whose day has been listed, and its agent calls chosen.
_LISTED = ("audio", "daily_report")


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
    *,
    calls: Iterable[CallsToLookAt] = (),
) -> list[AskAgain]:
    """The days whose pause is over, oldest first, each once, without those that are `busy`.

    The pause counts from the last asking, and another one from the last run, which may have failed
    before it could ask: an hour, and a day once that has gone on for a day.

    `FAILED` records are asked for again like pending ones, but only within `late_audio`: after
    that they stay `FAILED`, for a person to see. `calls` have their answer and may get more, or an
    agent: a run of their day lists it anew, and asks for those that have ended or are new.
    """
    due: dict[date, list[tuple[datetime, str]]] = {}
    for group in groups:
        since = group.last_asked_at + _pause(group, now, late_audio)
        if since <= now <= group.newest_since + _asked_for(group, late_audio):
            why = f"{group.count} {group.status.value} after {group.attempts} requests"
            due.setdefault(group.call_date, []).append((since, why))
    for some in calls:
        if _is_look_due(some, now, last_jobs.get(some.call_date)):
            kind = "calls may have more" if some.have_agent else "conversations may get an agent"
            since, why = some.last_asked_at + LONGEST_PAUSE, f"{some.count} {kind}"
            due.setdefault(some.call_date, []).append((since, why))
    found = []
    for day in sorted(due.keys() - set(busy)):
        last = last_jobs.get(day)
        newest = max(since for since, _ in due[day])
        if last is None or now - last.started_at >= _pause_after_run(last, newest):
            why = ", ".join(why for _, why in due[day])
            found.append(AskAgain(day, why, last.run_id if last else None))
    return found


def _pause_after_run(last: Job, due_since: datetime) -> timedelta:
    """Runs that fail all day before they can ask will not do better an hour later."""
    return LONGEST_PAUSE if last.started_at - due_since >= LONGEST_PAUSE else FIRST_PAUSE


def _asked_for(group: OpenRecords, late_audio: timedelta) -> timedelta:
    """For how long: a run gives up what is pending in time, if the day can still be listed."""
    if group.status is RecordStatus.FAILED:
        return late_audio
    return max(LOOKED_AT_FOR, late_audio + PAUSE_OF_OPEN_CALLS)


def _pause(group: OpenRecords, now: datetime, late_audio: timedelta) -> timedelta:
    # What is on its way may be deleted long before its call ends: it is waited for like any other.
    is_late = now - group.newest_since > late_audio
    waits = group.waits_for_the_end or (group.call_is_open and is_late)
    if waits and group.status is RecordStatus.PENDING:
        return PAUSE_OF_OPEN_CALLS
    doublings = min(max(group.attempts - 1, 0), 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def _is_look_due(calls: CallsToLookAt, now: datetime, last: Job | None) -> bool:
    """Calls that have ended once a day, until they are asked for; open ones weekly.

    Either until day 77, from their last asking or their start. Nobody asks for what is open: that
    somebody has looked is seen by a run that came past the listing, however it ended then.
    """
    if calls.have_ended:
        return LONGEST_PAUSE <= now - calls.last_asked_at <= LOOKED_AT_FOR
    if now - calls.newest_start > LOOKED_AT_FOR:
        return False
    if last is not None and now - last.started_at < LONGEST_PAUSE:
        return False
    looked_at = calls.last_asked_at
    if last is not None and last.stage in _LISTED:
        looked_at = max(looked_at, last.started_at)
    return now - looked_at >= PAUSE_OF_OPEN_CALLS
