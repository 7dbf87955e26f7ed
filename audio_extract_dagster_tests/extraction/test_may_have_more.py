"""Whether a call that has its answer may get another recording: by when it ended and was asked."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from audio_extract_dagster.extraction.outcomes import (
    METADATA_LAG,
    NEVER_CLOSED_AFTER,
    may_have_more,
)
from audio_extract_dagster.model import KnownRecord, RecordStatus
from audio_extract_dagster_tests.builders import NOW, START, call

SECOND = timedelta(seconds=1)
A_DAY_BEFORE = NOW - METADATA_LAG
STORED, PENDING = RecordStatus.STORED, RecordStatus.PENDING


@pytest.mark.parametrize(
    ("since_start", "more"),
    [
        (NEVER_CLOSED_AFTER - SECOND, True),
        (NEVER_CLOSED_AFTER, False),
        (NEVER_CLOSED_AFTER + SECOND, False),
    ],
)
def test_a_call_that_is_open_may_until_it_counts_as_ended(
    since_start: timedelta, more: bool
) -> None:
    is_open = call(ended_at=None)
    assert may_have_more(is_open, ["r-1"], asked_at=START + since_start) is more


@pytest.mark.parametrize(
    ("ended_at", "more"),
    [(NOW + SECOND, True), (NOW, False), (NOW + 2 * METADATA_LAG, True)],
)
def test_a_call_that_ended_after_it_was_asked_for_may(ended_at: datetime, more: bool) -> None:
    assert may_have_more(call(ended_at=ended_at), ["r-1"], asked_at=NOW) is more


@pytest.mark.parametrize(
    ("ended_at", "more"), [(NOW, True), (A_DAY_BEFORE + SECOND, True), (A_DAY_BEFORE, False)]
)
def test_a_call_that_was_open_the_time_before_may_for_a_day(ended_at: datetime, more: bool) -> None:
    flagged = call("c-1", KnownRecord("r-1", STORED, 1, may_have_more=True), ended_at=ended_at)
    assert may_have_more(flagged, ["r-1"], asked_at=NOW) is more


@pytest.mark.parametrize(
    ("ended_at", "answered", "more"),
    [
        (NOW, ["r-2"], True),
        (A_DAY_BEFORE, ["r-2"], False),
        (NOW, ["r-1"], True),
        (NOW, [""], True),
        (NOW, ["r-2", "r-3"], False),
        (NOW, ["r-2", "r-3", "r-4"], False),
    ],
)
def test_a_call_with_fewer_recordings_than_recorded_sessions_may_for_a_day(
    ended_at: datetime, answered: list[str], more: bool
) -> None:
    known = KnownRecord("r-1", STORED, 1), KnownRecord("", PENDING, 1)
    asked = call("c-1", *known, ended_at=ended_at, recording_sessions=3)
    assert may_have_more(asked, answered, asked_at=NOW) is more
