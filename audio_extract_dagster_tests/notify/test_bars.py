"""The drawings in a message: to scale, and told in words."""

from __future__ import annotations

import dataclasses
import re

from hypothesis import given
from hypothesis import strategies as st

from audio_extract_dagster.model import DayCounts
from audio_extract_dagster.notify.message import compose, compose_digest
from audio_extract_dagster_tests.notify.messages import (
    JOB,
    LETTERHEAD,
    WellFormed,
    lines,
)


def test_the_outcome_is_drawn_to_scale_and_told_in_words() -> None:
    html = compose(JOB, LETTERHEAD).html
    assert "Stored 1,100, Pending 3, Missing 75, Failed 2" in lines(compose(JOB, LETTERHEAD))
    widths = [int(percent) for percent in re.findall(r'<td width="(\d+)%" height="16"', html)]
    # What is rare is drawn wider than it is, so that it can be seen.
    assert widths == [90, 2, 6, 2]
    # Each part has the colour of its line in the table below.
    for color in re.findall(r'height="16" bgcolor="(#\w+)"', html):
        assert f'background:{color};margin-right:6px">&nbsp;</span>' in html


def test_calls_are_drawn_by_hour() -> None:
    calls = [0] * 8 + [5, 40, 20] + [0] * 13
    message = compose(JOB, LETTERHEAD, calls_by_hour=calls)
    assert "8:00 5, 9:00 40, 10:00 20" in lines(message)
    heights = [
        int(tall) for tall in re.findall(r'<td height="(\d+)" bgcolor="#4f7cac"', message.html)
    ]
    assert heights == [8, 64, 32]
    WellFormed(message.html)


def test_nothing_is_drawn_of_nothing() -> None:
    empty = dataclasses.replace(JOB, counts=DayCounts())
    assert 'role="img"' not in compose(empty, LETTERHEAD, calls_by_hour=[0] * 24).html
    assert 'role="img"' not in compose_digest([empty], "b", LETTERHEAD).html


@given(st.lists(st.integers(min_value=0, max_value=10**6), min_size=4, max_size=4))
def test_the_parts_of_a_bar_fill_it(numbers: list[int]) -> None:
    stored, pending, missing, failed = numbers
    counts = DayCounts(stored=stored, pending=pending, missing=missing, failed=failed)
    html = compose(dataclasses.replace(JOB, counts=counts), LETTERHEAD).html
    widths = [int(percent) for percent in re.findall(r'<td width="(\d+)%" height="16"', html)]
    assert len(widths) == sum(number > 0 for number in numbers)
    assert sum(widths) in (0, 100)
    assert all(width >= 2 for width in widths)
