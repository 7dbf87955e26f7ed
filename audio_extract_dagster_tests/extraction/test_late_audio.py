"""When a day whose audio is not all there is asked for again by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_extract_dagster.extraction.late_audio import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    LOOKED_AT_FOR,
    PAUSE_OF_OPEN_CALLS,
    AskAgain,
    days_to_ask_again,
)
from audio_extract_dagster.extraction.outcomes import NEVER_CLOSED_AFTER
from audio_extract_dagster.model import CallsToLookAt, Job, JobStatus, OpenRecords, RecordStatus
from audio_extract_dagster_tests.builders import DAY, NOW

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
LATE_AUDIO = timedelta(days=7)
PENDING, FAILED = RecordStatus.PENDING, RecordStatus.FAILED

# Three recordings that were asked for once, an hour ago.
WAITING = OpenRecords(
    DAY,
    PENDING,
    call_is_open=False,
    waits_for_the_end=False,
    count=3,
    attempts=1,
    newest_since=NOW - HOUR,
    last_asked_at=NOW - HOUR,
)
WAITS_FOR_THE_END = replace(WAITING, call_is_open=True, waits_for_the_end=True)

# A call that was open when its audio was stored, a week ago, and is.
STILL_OPEN = CallsToLookAt(
    DAY,
    have_ended=False,
    have_agent=True,
    count=1,
    newest_start=NOW - timedelta(days=8),
    last_asked_at=NOW - timedelta(days=7),
)


def asked(
    *groups: OpenRecords,
    jobs: Sequence[Job] = (),
    busy: Sequence[date] = (),
    now: datetime = NOW,
    calls: Sequence[CallsToLookAt] = (),
) -> list[AskAgain]:
    last: Mapping[date, Job] = {job.call_date: job for job in jobs}
    return days_to_ask_again(groups, now, LATE_AUDIO, last, busy, calls=calls)


def broken_run(started_at: datetime) -> Job:
    """A run of the day that did not ask for anything."""
    return Job.of_failed_run("run-2", DAY, "listing: no network", started_at)


@pytest.mark.parametrize(
    ("attempts", "hours"), [(0, 1), (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 24), (500, 24)]
)
def test_each_asking_in_vain_doubles_the_pause_up_to_a_day(attempts: int, hours: int) -> None:
    group = replace(WAITING, attempts=attempts, last_asked_at=NOW - hours * HOUR)
    assert asked(group, now=NOW - SECOND) == []
    (again,) = asked(group)
    assert again == AskAgain(DAY, f"3 PENDING after {attempts} requests", None)


def test_a_call_that_is_still_open_is_looked_at_weekly() -> None:
    group = replace(WAITS_FOR_THE_END, last_asked_at=NOW - timedelta(days=7))
    assert asked(group, now=NOW - SECOND) == []
    assert [each.day for each in asked(group)] == [DAY]


def test_what_is_on_its_way_of_an_open_call_is_waited_for_like_any_other() -> None:
    """It may be deleted long before the call ends; only once it is late, it is weekly."""
    uploading = replace(WAITING, call_is_open=True)
    assert asked(uploading, now=NOW - SECOND) == []
    assert len(asked(uploading)) == 1
    since = NOW - LATE_AUDIO
    late = replace(uploading, newest_since=since, last_asked_at=NOW - LONGEST_PAUSE)
    assert len(asked(late)) == 1
    assert asked(late, now=NOW + SECOND) == []
    assert len(asked(late, now=NOW + PAUSE_OF_OPEN_CALLS)) == 1


def test_what_failed_of_a_call_that_is_still_open_can_be_had_now() -> None:
    group = replace(WAITING, status=FAILED, call_is_open=True)
    assert len(asked(group)) == 1


def test_an_open_call_is_looked_at_however_old_its_day_is() -> None:
    long_ago = NOW - timedelta(days=69)
    group = replace(WAITS_FOR_THE_END, newest_since=long_ago, last_asked_at=long_ago)
    assert len(asked(group)) == 1


def test_an_open_call_that_may_have_more_is_looked_at_weekly() -> None:
    assert asked(calls=[STILL_OPEN], now=NOW - SECOND) == []
    assert asked(calls=[STILL_OPEN]) == [AskAgain(DAY, "1 calls may have more", None)]


@pytest.mark.parametrize("stage", ["audio", "daily_report"])
@pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, JobStatus.FAILED])
def test_a_run_that_listed_the_day_is_a_look_and_one_that_broke_before_is_none(
    status: JobStatus, stage: str
) -> None:
    calls = [replace(STILL_OPEN, last_asked_at=NOW - timedelta(days=14))]
    looked = replace(broken_run(NOW - timedelta(days=7)), status=status, stage=stage)
    assert asked(calls=calls, jobs=[looked], now=NOW - SECOND) == []
    assert len(asked(calls=calls, jobs=[looked])) == 1
    broke = replace(broken_run(NOW - timedelta(days=1)), stage="agent_calls")
    assert asked(calls=calls, jobs=[broke], now=NOW - SECOND) == []
    assert len(asked(calls=calls, jobs=[broke])) == 1


def test_the_last_look_at_an_open_call_is_after_day_70() -> None:
    """As the sensor looks: every five minutes."""
    looks: list[timedelta] = []
    job = replace(broken_run(NOW), status=JobStatus.SUCCEEDED, stage="daily_report")
    calls = replace(STILL_OPEN, newest_start=NOW - timedelta(hours=20), last_asked_at=NOW)
    for tick in range(0, 90 * 24 * 12):
        now = NOW + timedelta(minutes=5 * tick)
        if asked(calls=[calls], jobs=[job], now=now):
            looks.append(now - calls.newest_start)
            job = replace(job, started_at=now + timedelta(minutes=2))
    assert len(looks) == 10
    assert looks[-1] > NEVER_CLOSED_AFTER


def test_a_conversation_that_is_open_and_may_get_an_agent_is_looked_at_weekly() -> None:
    """Nobody asks for it: its last look was the last listing, or there was none."""
    week = timedelta(days=7)
    without = replace(
        STILL_OPEN, have_agent=False, newest_start=NOW - week, last_asked_at=NOW - week
    )
    assert asked(calls=[without], now=NOW - SECOND) == []
    assert asked(calls=[without]) == [AskAgain(DAY, "1 conversations may get an agent", None)]
    listed = replace(broken_run(NOW), status=JobStatus.SUCCEEDED, stage="daily_report")
    assert asked(calls=[without], jobs=[listed], now=NOW + week - SECOND) == []
    assert len(asked(calls=[without], jobs=[listed], now=NOW + week)) == 1


def test_a_call_that_has_ended_and_may_have_more_is_asked_for_a_day_later() -> None:
    ended = replace(STILL_OPEN, have_ended=True, last_asked_at=NOW - LONGEST_PAUSE)
    assert asked(calls=[ended], now=NOW - SECOND) == []
    assert len(asked(calls=[ended])) == 1
    assert len(asked(calls=[ended], now=NOW + SECOND)) == 1
    assert asked(calls=[ended], jobs=[broken_run(NOW - HOUR + SECOND)]) == []


@pytest.mark.parametrize("call_is_open", [False, True])
def test_a_day_that_nobody_can_list_any_more_is_not_asked_for_without_end(
    call_is_open: bool,
) -> None:
    """Neither for what is pending nor for calls that have ended: their askings count the days."""
    day_77 = NOW - LOOKED_AT_FOR
    pending = replace(WAITING, call_is_open=call_is_open, newest_since=day_77, last_asked_at=day_77)
    ended = replace(STILL_OPEN, have_ended=True, newest_start=day_77, last_asked_at=day_77)
    assert len(asked(pending)) == len(asked(calls=[ended])) == 1
    assert asked(pending, now=NOW + SECOND) == asked(calls=[ended], now=NOW + SECOND) == []


def test_what_a_backfill_asks_for_first_after_years_is_waited_for() -> None:
    old = date(2024, 1, 5)
    ended = replace(STILL_OPEN, call_date=old, have_ended=True, last_asked_at=NOW - LONGEST_PAUSE)
    again = asked(replace(WAITING, call_date=old), calls=[ended])
    assert [each.day for each in again] == [old]


def test_what_failed_is_asked_for_until_the_newest_of_it_is_too_old() -> None:
    group = replace(WAITING, status=FAILED, newest_since=NOW - LATE_AUDIO)
    assert len(asked(group)) == 1
    assert asked(group, now=NOW + SECOND) == []


def test_what_is_pending_is_asked_for_also_then_so_that_a_run_can_give_it_up() -> None:
    group = replace(WAITING, newest_since=NOW - LATE_AUDIO - SECOND)
    assert len(asked(group)) == 1


def test_a_day_whose_runs_all_break_is_asked_for_hourly_for_a_day_and_then_daily() -> None:
    """As the sensor looks: every five minutes. Nothing is asked for, so nothing else moves."""
    group = replace(WAITING, attempts=1, last_asked_at=NOW - HOUR)
    job, runs = broken_run(NOW - HOUR), list[datetime]()
    for tick in range(0, 10 * 24 * 12):
        now = NOW + timedelta(minutes=5 * tick)
        if asked(group, jobs=[job], now=now):
            runs.append(now)
            job = replace(job, started_at=now)
    assert len([run for run in runs if run < NOW + timedelta(days=1)]) == 24
    assert 8 <= len([run for run in runs if run >= NOW + timedelta(days=2)]) <= 9


def test_a_run_that_broke_is_followed_after_the_first_pause_and_not_sooner() -> None:
    group = replace(WAITING, last_asked_at=NOW - timedelta(hours=20))
    assert asked(group, jobs=[broken_run(NOW - HOUR + SECOND)]) == []
    (again,) = asked(group, jobs=[broken_run(NOW - HOUR)])
    assert again.after == "run-2"


def test_a_day_at_work_is_left_alone() -> None:
    other = replace(WAITING, call_date=date(2026, 3, 9))
    assert [each.day for each in asked(WAITING, other, busy=[DAY])] == [other.call_date]


def test_a_day_is_asked_for_once_and_the_oldest_first() -> None:
    failed = replace(WAITING, status=FAILED, count=2, attempts=1)
    before = replace(WAITING, call_date=date(2026, 3, 9))
    assert asked(WAITING, failed, WAITS_FOR_THE_END, before) == [
        AskAgain(before.call_date, "3 PENDING after 1 requests", None),
        AskAgain(DAY, "3 PENDING after 1 requests, 2 FAILED after 1 requests", None),
    ]


days = st.dates(date(2026, 3, 1), date(2026, 3, 6))
moments = st.timedeltas(timedelta(0), timedelta(days=20)).map(lambda ago: NOW - ago)
groups = st.builds(
    OpenRecords,
    call_date=days,
    status=st.sampled_from([PENDING, FAILED]),
    call_is_open=st.booleans(),
    waits_for_the_end=st.booleans(),
    count=st.integers(1, 9),
    attempts=st.integers(0, 40),
    newest_since=moments,
    last_asked_at=moments,
).filter(lambda group: group.call_is_open or not group.waits_for_the_end)
last_jobs = st.dictionaries(days, moments.map(broken_run))


@given(st.lists(groups, max_size=8), last_jobs, st.sets(days))
def test_whatever_is_open(found: list[OpenRecords], last: dict[date, Job], busy: set[date]) -> None:
    again = [each.day for each in days_to_ask_again(found, NOW, LATE_AUDIO, last, busy)]
    assert again == sorted(set(again))
    assert not busy.intersection(again)
    for day in again:
        rested = [NOW - each.last_asked_at for each in found if each.call_date == day]
        assert max(rested) >= FIRST_PAUSE
        assert day not in last or NOW - last[day].started_at >= FIRST_PAUSE
    for each in found:
        # Nothing that is pending is forgotten: after its longest pause its day is asked for.
        pause = PAUSE_OF_OPEN_CALLS if each.call_is_open else LONGEST_PAUSE
        rested_enough = NOW - each.last_asked_at >= pause
        # Runs that have failed for a day are followed a day later, others after an hour.
        followed = each.call_date in last and NOW - last[each.call_date].started_at < LONGEST_PAUSE
        if each.status is PENDING and rested_enough and each.call_date not in busy:
            assert each.call_date in again or followed
