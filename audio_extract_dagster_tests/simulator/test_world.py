"""The made-up org: repeatable, complete, and shaped like the real thing."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_extract_dagster.simulator import Conversation, World
from audio_extract_dagster.simulator.ids import Ids
from audio_extract_dagster.simulator.model import as_seen, iso, milliseconds
from audio_extract_dagster.simulator.recordings import SITUATIONS
from audio_extract_dagster.simulator.stories import STORIES
from audio_extract_dagster_tests.simulator.api import TUESDAY

LIMA = ZoneInfo("America/Lima")


def is_call(conversation: Conversation) -> bool:
    return conversation.story != "chat"


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(), day=st.dates(date(2024, 1, 1), date(2030, 1, 1)))
def test_a_day_follows_from_seed_and_date(seed: int, day: date) -> None:
    one, other = World(seed, calls_per_day=12), World(seed, calls_per_day=12)
    other.conversations(day + timedelta(days=3))  # what was asked before does not matter
    assert one.conversations(day) == other.conversations(day)


def test_a_day_is_the_same_in_another_process() -> None:
    program = (
        "from datetime import date; import msgspec;"
        "from audio_extract_dagster.simulator import World;"
        "day = World(seed=5, calls_per_day=40).conversations(date(2026, 3, 10));"
        "print(msgspec.json.encode([c.payload for c in day]).decode(), end='')"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        env={"PYTHONHASHSEED": "1"},
    ).stdout
    here = [each.payload for each in World(seed=5, calls_per_day=40).conversations(TUESDAY)]
    assert elsewhere.decode().strip() == msgspec.json.encode(here).decode()


def test_other_seeds_share_no_id(truth: list[Conversation]) -> None:
    others = World(seed=8, calls_per_day=60).conversations(TUESDAY)
    assert not {each.id for each in truth} & {each.id for each in others}


@settings(max_examples=10, deadline=None)
@given(day=st.dates(date(2024, 1, 1), date(2030, 1, 1)))
def test_calls_per_day_counts_the_voice_conversations_of_a_working_day(day: date) -> None:
    calls = [each for each in World(calls_per_day=50).conversations(day) if is_call(each)]
    assert len(calls) == (5 if day.weekday() == 6 else 50)


@settings(max_examples=10, deadline=None)
@given(
    day=st.dates(date(2024, 1, 1), date(2030, 1, 1)),
    zone=st.sampled_from(["America/Lima", "Europe/Madrid"]),
)
def test_a_day_holds_what_starts_on_it_in_order(day: date, zone: str) -> None:
    starts = [each.start for each in World(timezone=zone).conversations(day)]
    assert starts == sorted(starts)
    assert {start.astimezone(ZoneInfo(zone)).date() for start in starts} == {day}


def test_every_story_and_every_recording_situation_is_there(truth: list[Conversation]) -> None:
    assert {each.story for each in truth} == STORIES.keys() - {"flood"}
    states = {recording.state for each in truth for recording in each.recordings}
    assert states == {"AVAILABLE", "UPLOADING", "ARCHIVED", "DELETED", "ERROR", "RESTORING"}
    counts = {len(each.recordings) for each in truth}
    assert counts >= {0, 1, 2, 3}
    recordings = [recording for each in truth for recording in each.recordings]
    assert {recording.media for recording in recordings} == {"audio", "screen"}
    assert max(recording.parts for recording in recordings) > 1
    assert any(recording.sensitive for recording in recordings)
    assert len(truth) >= len(STORIES) + len(SITUATIONS)


def test_only_some_stories_have_an_agent(truth: list[Conversation]) -> None:
    without = {each.story for each in truth if not each.has_agent}
    assert without == {"abandoned", "ivr_only", "business", "voicemail", "chat"}


def test_the_mix_of_a_big_day_is_the_mix_asked_for() -> None:
    day = World(seed=2, calls_per_day=1500).conversations(TUESDAY)
    stories = Counter(each.story for each in day)
    assert 0.4 < stories["answered"] / 1500 < 0.6
    assert 0.05 < stories["abandoned"] / 1500 < 0.12
    agents = sum(each.has_agent for each in day) / 1500
    assert 0.7 < agents < 0.9
    talks = sorted(r.seconds for each in day for r in each.recordings if each.story == "answered")
    assert 60 < talks[len(talks) // 2] < 120
    assert talks[-1] <= 600


def test_midnight_calls(truth: list[Conversation]) -> None:
    late = next(each for each in truth if each.story == "crosses_midnight")
    last = next(each for each in truth if each.story == "last_moment")
    midnight = datetime(2026, 3, 11, tzinfo=LIMA)
    assert midnight - timedelta(minutes=2) <= late.start < midnight - timedelta(minutes=1)
    assert late.end_ms is not None
    assert late.end_ms > milliseconds(midnight)
    assert last.start == midnight - timedelta(milliseconds=100)
    assert last.start.astimezone(timezone.utc).date() == date(2026, 3, 11)


def test_times_of_a_payload_are_in_order(truth: list[Conversation]) -> None:
    for each in truth:
        payload = each.payload
        assert payload["conversationStart"] == iso(each.start_ms)
        for participant in payload["participants"]:
            for session in participant["sessions"]:
                for segment in session["segments"]:
                    end = segment.get("segmentEnd")
                    assert payload["conversationStart"] <= segment["segmentStart"]
                    if end is not None:
                        assert segment["segmentStart"] <= end
                        assert end <= payload.get("conversationEnd", end), each.story


def test_handle_time_adds_up(truth: list[Conversation]) -> None:
    handled = 0
    for each in truth:
        for participant in each.payload["participants"]:
            for session in participant["sessions"]:
                values = {m["name"]: m["value"] for m in session.get("metrics", ())}
                if "tHandle" in values:
                    handled += 1
                    parts = ("tTalkComplete", "tHeldComplete", "tAcw")
                    assert values["tHandle"] == sum(values.get(name, 0) for name in parts)
    assert handled > 30


def test_names_and_flags_stand_where_the_platform_puts_them(truth: list[Conversation]) -> None:
    for each in truth:
        for participant in each.payload["participants"]:
            if participant["purpose"] == "agent":
                assert "participantName" not in participant
                assert participant["userId"]
            for session in participant["sessions"]:
                assert "recording" not in session or participant["purpose"] in (
                    "customer",
                    "external",
                )
    answered = [each for each in truth if each.story == "answered"]
    silent = [each for each in answered if not each.recordings]
    flags = {
        "recording" in session
        for each in silent
        for session in each.payload["participants"][0]["sessions"]
    }
    assert flags == {True, False}  # "unlisted" says it was recorded, "unrecorded" does not


def test_a_conversation_is_seen_as_far_as_it_has_come(truth: list[Conversation]) -> None:
    call = next(each for each in truth if each.story == "transfer" and each.end_ms)
    assert call.end_ms is not None
    before = as_seen(call, call.start_ms)
    during = as_seen(call, (call.start_ms + call.end_ms) // 2)
    assert "conversationEnd" not in before
    assert "conversationEnd" not in during
    assert len(before["participants"]) < len(call.payload["participants"])
    assert as_seen(call, call.end_ms) is call.payload


def test_open_and_stuck_conversations(truth: list[Conversation]) -> None:
    morning = milliseconds(datetime(2026, 3, 11, 11, tzinfo=timezone.utc))
    still_open = next(each for each in truth if each.story == "open")
    stuck = next(each for each in truth if each.story == "stuck")
    assert "conversationEnd" not in as_seen(still_open, morning + 10**12)
    assert "conversationEnd" not in as_seen(stuck, morning)
    two_months = morning + 61 * 86_400_000
    assert "conversationEnd" in as_seen(stuck, two_months)


@given(seed=st.text(max_size=20), day=st.integers(1, 3_000_000), serial=st.integers(0, 2**32 - 1))
def test_an_id_tells_its_place(seed: str, day: int, serial: int) -> None:
    ids = Ids(seed)
    identifier = ids.conversation(day, serial)
    assert ids.locate(identifier) == (day, serial)
    assert ids.locate(f"../{identifier}\0") == (day, serial)
    assert Ids(f"{seed}!").locate(identifier) is None
    assert ids.locate("11111111-2222-4333-8444-555555555555") is None


def test_found_by_id_on_any_day(world: World) -> None:
    for day in (date(2024, 2, 29), TUESDAY, date(2030, 12, 31)):
        for each in world.conversations(day)[:5]:
            assert world.find(each.id) == each
    assert world.find("nobody") is None


def test_hostile_ids_are_unique_and_can_be_asked_for() -> None:
    world = World(calls_per_day=120, hostile_ids=True)
    day = world.conversations(TUESDAY)
    ids = [each.id for each in day] + [r.id for each in day for r in each.recordings]
    assert len(ids) == len(set(ids))
    for mark in ("../", "/etc/", "\0", "'\";", "xxx", "..\\"):
        assert any(mark in identifier for identifier in ids), mark
    assert all(world.find(each.id) == each for each in day)
    hostile = next(each for each in day if each.id.startswith("/etc/"))
    assert world.find(hostile.id.removeprefix("/etc/")) is None


@pytest.mark.parametrize("calls", [0, 1, 5])
def test_small_worlds(calls: int) -> None:
    day = World(calls_per_day=calls).conversations(TUESDAY)
    assert len([each for each in day if is_call(each)]) == calls


def test_a_flood_costs_little_and_counts() -> None:
    world = World(calls_per_day=10, flood_per_day=500)
    day = world.on_day(TUESDAY)
    assert len(day) == 511
    assert world.build(day[200]).story == "flood"
