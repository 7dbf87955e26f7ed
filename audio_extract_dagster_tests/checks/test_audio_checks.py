"""The checks of `audio_records` name what is wrong with a day that was made unsound."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audio_extract_dagster.checks.audio import OPEN_TOO_LONG
from audio_extract_dagster_tests.checks.conftest import CheckedDay

VERDICT = "day_is_accounted_for"
SECOND = timedelta(seconds=1)
STORED, MISSING = "r.status = 'STORED'", "r.status = 'MISSING'"


def test_a_call_without_a_record(day: CheckedDay) -> None:
    call = day.some_call(MISSING)
    day.sql("DELETE FROM audio_records WHERE conversation_id = :id", id=call)
    found = day.problems()
    assert found.keys() == {"calls_have_records", VERDICT}
    assert found["calls_have_records"] == [f"1 agent calls have no record: {call}"]


def test_files_that_are_gone_cut_or_elsewhere(day: CheckedDay) -> None:
    files = sorted(path for path in day.scene.folder.rglob("*") if path.is_file())
    gone, cut, elsewhere = files[:3]
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:-1])
    day.sql(
        "UPDATE audio_records SET uri = 'gs://b/a.ogg' WHERE uri = :uri", uri=elsewhere.as_uri()
    )
    (problems,) = day.problems().values()
    assert problems == [
        f"2 stored files are gone: {gone.as_uri()}, gs://b/a.ogg",
        f"1 stored files have another size: {cut.as_uri()}",
    ]


@pytest.mark.parametrize(
    ("calls", "of_which", "told"), [(4, 4, False), (5, 5, True), (5, 25, False), (6, 29, True)]
)
@pytest.mark.parametrize("reason", ["not_recorded", "withdrawn"])
def test_calls_that_say_they_were_recorded_and_have_no_recording(
    day: CheckedDay, calls: int, of_which: int, told: bool, reason: str
) -> None:
    """At least five, and more than a fifth of them; those that nobody answered do not count."""
    day.sql("UPDATE audio_records SET status = 'MISSING', reason = 'deleted'")
    day.sql(
        "UPDATE agent_calls SET answered = true, recording_sessions ="
        " CASE WHEN conversation_id IN (SELECT conversation_id FROM agent_calls ORDER BY 1"
        " LIMIT :calls) THEN 1 ELSE 0 END",
        calls=of_which,
    )
    lost = (
        "conversation_id IN (SELECT conversation_id FROM agent_calls WHERE recording_sessions > 0"
        " ORDER BY 1 LIMIT :calls)"
    )
    day.sql(f"UPDATE audio_records SET reason = :why WHERE {lost}", why=reason, calls=calls)
    name = "recorded_calls_have_recordings"
    found = day.problems().get(name)
    assert (found is not None) is told
    if found:
        words = f"{calls} of {of_which} calls that say they were recorded have no recording: "
        assert found[0].startswith(words)
        day.sql(f"UPDATE agent_calls SET answered = false WHERE {lost}", calls=1)
        assert name not in day.problems()


def test_a_call_with_some_of_its_recordings_has_recordings(day: CheckedDay) -> None:
    day.sql("UPDATE audio_records SET status = 'MISSING', reason = 'withdrawn'")
    assert "recorded_calls_have_recordings" in day.problems()
    day.sql(
        "INSERT INTO audio_records (conversation_id, recording_id, call_date, status, reason,"
        " updated_at) SELECT DISTINCT conversation_id, 'another', call_date, 'PENDING',"
        " 'uploading', now() FROM audio_records"
    )
    assert "recorded_calls_have_recordings" not in day.problems()


@pytest.mark.parametrize(
    ("seconds", "implausible"),
    [
        ("extract(epoch FROM c.ended_at - c.conversation_start) + 59", False),
        ("extract(epoch FROM c.ended_at - c.conversation_start) + 61", True),
        ("c.talk_ms / 1000.0 * 0.51", False),
        ("c.talk_ms / 1000.0 * 0.49", True),
        ("NULL", False),  # the header does not tell
    ],
)
def test_audio_that_does_not_fit_its_call(day: CheckedDay, seconds: str, implausible: bool) -> None:
    call = day.some_call(f"{STORED} AND talk_ms > 30000")
    day.sql(
        f"UPDATE audio_records r SET duration_seconds = {seconds} FROM agent_calls c"
        " WHERE c.conversation_id = :id AND r.conversation_id = :id",
        id=call,
    )
    found = day.problems()
    if not implausible:
        assert found == {}
    else:
        (problem,) = found["durations_agree"]
        assert problem.startswith(f"1 recordings do not fit their call: {call}/")


def test_audio_that_is_not_all_there_is_not_measured_against_its_call(day: CheckedDay) -> None:
    """One of several recordings of a call is short beside the whole; the others are to come."""
    several = (
        "(SELECT count(DISTINCT recording_id) FROM audio_records o"
        "  WHERE o.conversation_id = r.conversation_id) > 1"
    )
    call = day.some_call(f"talk_ms > 30000 AND {several}")
    day.sql("UPDATE audio_records SET duration_seconds = 1 WHERE conversation_id = :id", id=call)
    assert day.problems().keys() == {"durations_agree"}
    day.sql(
        "UPDATE audio_records SET status = 'PENDING', reason = 'uploading', duration_seconds = NULL"
        " WHERE recording_id = (SELECT min(recording_id) FROM audio_records"
        "                        WHERE conversation_id = :id)",
        id=call,
    )
    assert day.problems() == {}


def test_recordings_that_are_open_for_days(day: CheckedDay) -> None:
    """Not the calls that are open themselves: they are known to take long."""
    now = day.scene.clock.now() + OPEN_TOO_LONG
    assert day.problems(now) == {}
    (problem,) = day.problems(now + SECOND)["nothing_open_too_long"]
    late = day.sql(
        "SELECT conversation_id || '/' || recording_id FROM audio_records"
        " WHERE status = 'PENDING' AND reason <> 'call_open' ORDER BY 1"
    )
    assert problem == f"2 recordings are open for days: {', '.join(name for (name,) in late)}"


def test_what_is_pending_of_an_open_call_is_not_open_for_days_and_what_failed_is(
    day: CheckedDay,
) -> None:
    """Whatever the reason: the call says whether it is open, and a call may have ended since."""
    now = day.scene.clock.now() + OPEN_TOO_LONG + SECOND
    day.sql("UPDATE audio_records SET reason = 'uploading' WHERE reason = 'call_open'")
    (before,) = day.problems(now)["nothing_open_too_long"]
    assert before.startswith("2 recordings")
    is_open = "conversation_id IN (SELECT conversation_id FROM agent_calls WHERE ended_at IS NULL)"
    day.sql(f"UPDATE audio_records SET status = 'FAILED' WHERE status = 'PENDING' AND {is_open}")
    (failed,) = day.problems(now)["nothing_open_too_long"]
    assert failed.startswith("4 recordings")
    day.sql(f"UPDATE audio_records SET status = 'PENDING', reason = 'call_open' WHERE {is_open}")
    day.sql("UPDATE agent_calls SET ended_at = conversation_start WHERE ended_at IS NULL")
    (ended,) = day.problems(now)["nothing_open_too_long"]
    assert ended.startswith("4 recordings")
