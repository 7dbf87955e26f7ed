"""Each check passes on a sound day, and names what is wrong with one that was made unsound."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audio_extract_dagster.checks import ALL_CHECKS
from audio_extract_dagster.checks.rule import NAMED_ROWS, rows_named
from audio_extract_dagster_tests.checks.conftest import CheckedDay
from audio_extract_dagster_tests.scenarios.day import CALENDAR, TUESDAY

VERDICT = "day_is_accounted_for"
SECOND = timedelta(seconds=1)
STORED = "r.status = 'STORED'"


def test_a_sound_day_passes_every_check_with_numbers_to_plot(day: CheckedDay) -> None:
    found = day.look()
    assert {name: each.problems for name, each in found.items() if each.problems} == {}
    assert all(each.numbers for each in found.values())
    assert found[VERDICT].numbers == {"status": "INCOMPLETE", "sums": "close"}
    assert found["stored_files_exist"].numbers == {"files": 29, "gone": 0, "other_size": 0}


def test_each_check_says_what_it_checks_and_one_stops_the_run() -> None:
    assert all(check.description.endswith(".") for check in ALL_CHECKS)
    assert len({check.name for check in ALL_CHECKS}) == len(ALL_CHECKS)
    assert [check.name for check in ALL_CHECKS if check.stops] == [VERDICT]
    assert not any(check.stops and check.warns for check in ALL_CHECKS)


def test_a_person_is_told_some_of_the_rows_and_how_many_there_are() -> None:
    ids = [f"c-{n}" for n in range(NAMED_ROWS + 3)]
    assert rows_named("calls are lost", []) == []
    assert rows_named("calls are lost", ids[:2]) == ["2 calls are lost: c-0, c-1"]
    (problem,) = rows_named("calls are lost", ids)
    assert problem.startswith("13 calls are lost: c-0, ")
    assert problem.endswith("c-9 and 3 more")


# The listing


def test_a_hit_that_is_nowhere(day: CheckedDay) -> None:
    day.sql(
        "UPDATE day_counts SET counts = counts || '{\"hits\": 99}' WHERE asset = 'conversations'"
    )
    found = day.problems()
    assert found.keys() == {"listing_is_complete", VERDICT}
    assert found["listing_is_complete"][0].startswith("99 hits are not 40 rows + ")
    assert "99 hits are not" in found[VERDICT][0]


def test_a_day_that_was_never_listed(day: CheckedDay) -> None:
    day.sql("DELETE FROM day_counts")
    assert day.problems().keys() == {"listing_is_complete", VERDICT}


def test_a_conversation_in_two_rows(day: CheckedDay) -> None:
    ((first, second),) = day.sql(
        "SELECT min(conversation_id), max(conversation_id) FROM agent_calls"
    )
    day.sql(
        "UPDATE conversations SET payload = (SELECT payload FROM conversations"
        " WHERE conversation_id = :first) WHERE conversation_id = :second",
        first=first,
        second=second,
    )
    assert day.problems() == {
        "each_conversation_once": [f"1 conversations stand in several rows: {first}"]
    }


def test_payloads_that_retention_took_are_no_repeats(day: CheckedDay) -> None:
    day.sql("UPDATE conversations SET payload = '{}'")
    assert "each_conversation_once" not in day.problems()


def test_a_conversation_of_another_day(day: CheckedDay) -> None:
    """Midnight belongs to the day that begins with it."""
    window = CALENDAR.window(TUESDAY)
    first, second, third = day.sql("SELECT conversation_id FROM conversations ORDER BY 1 LIMIT 3")
    starts = {first[0]: window.start, second[0]: window.start - SECOND, third[0]: window.end}
    for conversation_id, start in starts.items():
        day.sql(
            "UPDATE conversations SET conversation_start = :start WHERE conversation_id = :id",
            start=start,
            id=conversation_id,
        )
    assert day.problems() == {
        "each_in_its_day": [
            f"2 conversations started on another day: {second[0]}, {third[0]}",
        ]
    }


def test_conversations_that_are_no_longer_listed(day: CheckedDay) -> None:
    day.sql(
        "UPDATE day_counts SET counts = counts || '{\"kept\": 2}' WHERE asset = 'conversations'"
    )
    found = day.problems()
    assert found.keys() == {"still_listed"}
    assert found["still_listed"][0].startswith("2 conversations with audio are no longer listed")


# The calls


def test_a_call_that_was_chosen_and_is_not_there(day: CheckedDay) -> None:
    day.sql("DELETE FROM agent_calls WHERE conversation_id = :id", id=day.some_call(STORED))
    found = day.problems()
    assert found.keys() == {"calls_add_up", VERDICT}
    assert found["calls_add_up"] == ["40 conversations are not 34 agent_calls + 5 excluded"]


@pytest.mark.parametrize(
    ("weeks_ago", "calls", "problem"),
    [
        ((1, 2), 35, None),
        ((1, 2, 3, 4), 70, None),
        ((1, 2), 71, "35 agent calls, usual are 71 on this weekday"),
        ((3, 4), 17, "35 agent calls, usual are 17 on this weekday"),
        ((1,), 1000, None),  # one day says nothing
        ((5, 6, 7), 1000, None),  # too long ago
        ((1, 2, 3), 0, None),  # they were holidays
    ],
)
def test_a_day_with_half_or_twice_the_usual_calls(
    day: CheckedDay, weeks_ago: tuple[int, ...], calls: int, problem: str | None
) -> None:
    for weeks in weeks_ago:
        day.sql(
            "INSERT INTO daily_report VALUES"
            " (:that_day, :calls, :calls, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}')",
            that_day=TUESDAY - timedelta(weeks=weeks),
            calls=calls,
        )
    assert day.problems() == ({"volume_is_usual": [problem]} if problem else {})


# The verdict


def test_a_day_of_which_too_much_failed(day: CheckedDay) -> None:
    failed = (
        "UPDATE audio_records SET status = 'FAILED', reason = 'not_audio' WHERE conversation_id IN"
        " (SELECT conversation_id FROM agent_calls ORDER BY 1 LIMIT :calls)"
    )
    day.sql(failed, calls=4)
    assert VERDICT not in day.problems()
    day.sql(failed, calls=8)
    (problem,) = day.problems()[VERDICT]
    assert "MAX_FAILED_PERCENT" in problem


# The days before


def test_a_day_that_was_left_behind(day: CheckedDay) -> None:
    """Friday failed and nobody asked for Saturday and Monday; Sunday is no business day."""
    day.sql(
        "INSERT INTO extraction_jobs (run_id, call_date, status, started_at)"
        " VALUES ('of Friday', :day - 4, 'FAILED', now())"
    )
    monday, saturday, friday = (TUESDAY - timedelta(days=n) for n in (1, 3, 4))
    assert day.problems() == {
        "no_day_left_behind": [
            "3 earlier days are not done: "
            f"{friday} (FAILED), {saturday} (never run), {monday} (never run)"
        ]
    }
