"""Reading answers: what is odd counts as absent, and nothing is lost silently."""

from __future__ import annotations

import copy
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from audio_extract_dagster.genesys import wire
from audio_extract_dagster.genesys.model import (
    BatchJobStatus,
    BatchResult,
    Metric,
    Participant,
    Segment,
    Session,
)
from audio_extract_dagster.genesys.tolerance import Unreadable
from audio_extract_dagster_tests.genesys.payloads import CONVERSATION, page_of

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "conversations"


def moment(time: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-10T{time}+00:00")


def with_value(value: object, *path: str | int) -> dict[str, Any]:
    """CONVERSATION with another value at `path`."""
    changed = copy.deepcopy(CONVERSATION)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def test_a_conversation_is_read_whole() -> None:
    page = wire.read_conversation_page(page_of(CONVERSATION, total=17))

    (found,) = page.conversations
    assert (page.total_hits, page.unreadable) == (17, 0)
    assert found.id == "11111111-2222-4333-8444-555555555555"
    assert found.start == moment("14:02:11.104")
    assert found.end == moment("14:09:40.870")
    assert found.originating_direction == "inbound"
    segment = Segment(
        start=moment("14:03:02.500"),
        end=moment("14:08:52.300"),
        type="interact",
        queue_id="q-1",
        disconnect_type="peer",
        wrap_up_code="w-1",
    )
    session = Session(
        session_id="s-2",
        media_type="voice",
        ani="tel:+5115550100",
        dnis="tel:+5115550199",
        recording=True,
        metrics=(Metric("tHandle", 398370),),
        segments=(segment,),
    )
    assert found.participants == (Participant("agent", "u-1", (session,)),)
    assert json.loads(found.payload) == CONVERSATION


@pytest.mark.parametrize(
    "body", [{"totalHits": 5}, {"conversations": None, "totalHits": 5}, {"conversations": []}]
)
def test_an_empty_page_however_it_is_said(body: object) -> None:
    page = wire.read_conversation_page(json.dumps(body).encode())

    assert page.conversations == []
    assert page.unreadable == 0


@pytest.mark.parametrize("total", [None, "17", -1, True, 1.5e300, [17]])
def test_a_total_that_is_no_number_is_none(total: object) -> None:
    assert wire.read_conversation_page(page_of(total=total)).total_hits == 0


def test_a_total_may_be_written_as_a_float() -> None:
    assert wire.read_conversation_page(b'{"totalHits": 1.7e1}').total_hits == 17


@pytest.mark.parametrize(
    "changed",
    [
        with_value(None, "participants", 0, "sessions", 0, "segments"),
        with_value("soon", "conversationEnd"),
        with_value({}, "participants", 0, "sessions", 0, "ani"),
        with_value("yes", "participants", 0, "sessions", 0, "recording"),
        with_value(["?"], "participants", 0, "sessions", 0, "metrics"),
        with_value(True, "participants", 0, "sessions", 0, "metrics", 0, "value"),
        with_value(1e300, "participants", 0, "sessions", 0, "metrics", 0, "value"),
        with_value(-1, "participants", 0, "sessions", 0, "metrics", 0, "value"),
        with_value("2026-03-10", "participants", 0, "sessions", 0, "segments", 0, "segmentEnd"),
        with_value(7, "originatingDirection"),
    ],
)
def test_a_value_of_the_wrong_type_is_absent_and_costs_nothing_else(
    changed: dict[str, Any],
) -> None:
    (found,) = wire.read_conversation_page(page_of(changed)).conversations

    (participant,) = found.participants
    (session,) = participant.sessions
    odd = {
        found.end is None,
        session.segments == (),
        session.ani is None,
        session.recording is None,
        session.metrics == () or session.metrics[0].value is None,
        session.segments != () and session.segments[0].end is None,
        found.originating_direction is None,
    }
    assert odd == {True, False}
    assert (participant.user_id, session.dnis) == ("u-1", "tel:+5115550199")
    assert json.loads(found.payload) == changed


@pytest.mark.parametrize(
    "hit",
    [
        with_value(None, "conversationId"),
        with_value("", "conversationId"),
        with_value(5, "conversationId"),
        with_value("yesterday", "conversationStart"),
        with_value("2026-03-10T14:02:11.104", "conversationStart"),
        with_value("0001-01-01T00:00:00+12:00", "conversationStart"),
        {},
        None,
        "?",
        [CONVERSATION],
    ],
)
def test_a_hit_without_an_id_or_a_start_is_counted(hit: object) -> None:
    page = wire.read_conversation_page(page_of(hit, CONVERSATION, total=2))

    assert (len(page.conversations), page.unreadable, page.total_hits) == (1, 1, 2)


@pytest.mark.parametrize("text", ["\x00", "a\u0000b", "\U0001f600", "\\ud800", "Ñandú", "\ufffd"])
def test_text_of_all_kinds_survives(text: str) -> None:
    changed = with_value(text, "participants", 0, "userId")

    for body in (page_of(changed), json.dumps(json.loads(page_of(changed)), ensure_ascii=False)):
        raw = body if isinstance(body, bytes) else body.encode()
        (found,) = wire.read_conversation_page(raw).conversations
        assert found.participants[0].user_id == text
        assert json.loads(found.payload) == changed


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a\ud83d", "a\ufffd"),
        ("\ude00b", "\ufffdb"),
        ("\ud83d\u0041", "\ufffdA"),
        ("\ud83d\ud83d\ude00\ude00", "\ufffd\U0001f600\ufffd"),
        ("\\\ud83d\\ud83d", "\\\ufffd\\ud83d"),
    ],
)
def test_half_a_character_is_replaced_and_costs_nothing_else(text: str, read: str) -> None:
    changed = with_value(text, "participants", 0, "userId")

    (found,) = wire.read_conversation_page(page_of(changed)).conversations

    assert found.participants[0].user_id == read
    assert json.loads(found.payload) == with_value(read, "participants", 0, "userId")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"<html>",
        b'{"totalHits": 1',
        b'{"totalHits": 1} x',
        b'{"conversations": {}}',
        b'{"conversations": "none"}',
        b'{"conversations": [{"x": "\xff"}]}',
        b'{"conversations": [{"x": "\\ud83d", "y": "\xff"}]}',
        b'{"x": "\x01"}',
        b'{"x": NaN}',
        b'{"x": ' + b"[" * 100_000,
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_page_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        wire.read_conversation_page(body)


@pytest.mark.parametrize(
    ("status", "expected", "results", "finished"),
    [
        ("Completed", 0, 0, True),
        ("Completed", 5, 3, True),
        ("InProgress", 3, 3, False),
        ("Paused", 3, 3, False),
        (None, 3, 3, True),
        (None, 3, 4, True),
        (None, 3, 2, False),
        (None, 0, 0, False),
    ],
)
def test_when_a_batch_is_finished(
    status: str | None, expected: int, results: int, finished: bool
) -> None:
    assert BatchJobStatus(status, expected, results, 0, []).finished is finished


def test_results_that_are_no_results_are_not_lost() -> None:
    body = {"results": [None, {"conversationId": 5, "resultUrl": []}, {"conversationId": "c-1"}]}

    status = wire.read_batch_status(json.dumps(body).encode())

    assert status.results == [BatchResult(), BatchResult(), BatchResult("c-1")]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not on this machine")
def test_real_conversations() -> None:
    body = (SAMPLES / "voice-days.json").read_bytes()

    page = wire.read_conversation_page(body)

    expected = json.loads(body)["conversations"]
    assert [json.loads(found.payload) for found in page.conversations] == expected
    assert (page.total_hits, page.unreadable) == (10, 0)
    recorded = [
        session.recording
        for found in page.conversations
        for participant in found.participants
        if participant.purpose == "customer"
        for session in participant.sessions
        if session.media_type == "voice"
    ]
    assert recorded == [True] * len(recorded)
