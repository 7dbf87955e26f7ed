"""Which conversations are agent calls, and what is kept of each."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from audio_extract_dagster.database.day_tables import DayRows
from audio_extract_dagster.extraction.agent_calls import (
    agent_call,
    agent_call_rows,
    is_voice,
    queue_ids,
    why_excluded,
)
from audio_extract_dagster.genesys import Metric, Participant, Session
from audio_extract_dagster_tests.builders import (
    DAY,
    START,
    conversation,
    participant,
    sample_conversations,
    segment,
    session,
)

CUSTOMER = participant(
    "customer",
    session(segment("interact"), ani="tel:+5115550100", dnis="tel:+5115550199", recording=True),
)


def answered(second: float, user_id: str = "u-1", **fields: str) -> Participant:
    """An agent who takes the call so many seconds after its start."""
    talk = segment("interact", second + 5, queue_id="q-1", disconnect_type="peer")
    wrap_up = segment("wrapup", second + 60, disconnect_type="peer", **fields)
    return participant("agent", session(segment("alert", second), talk, wrap_up), user_id=user_id)


def rang(second: float, user_id: str = "u-2") -> Participant:
    """An agent whose phone only rings."""
    alert = segment("alert", second, queue_id="q-rang", disconnect_type="system")
    return participant("agent", session(alert), user_id=user_id)


def test_a_call_whose_payload_is_gone_is_left_as_it_is() -> None:
    """After RETENTION_DAYS; a row that is not given stays, with its records."""
    rows = iter([(True, "{}"), (False, "{}")])
    assert list(agent_call_rows(DAY, DayRows(("has_agent", "payload"), rows)).rows) == []


@pytest.mark.parametrize(
    ("participants", "excluded"),
    [
        ([CUSTOMER, answered(10)], None),
        ([CUSTOMER, rang(10)], None),
        ([CUSTOMER], "no_agent"),
        ([CUSTOMER, participant("user", session(segment("interact")))], "no_agent"),
        ([CUSTOMER, participant("acd", session(segment("delay")))], "no_agent"),
        ([CUSTOMER, participant("agent")], "agent_without_voice"),
        (
            [CUSTOMER, participant("agent", session(segment("interact"), media_type="callback"))],
            "agent_without_voice",
        ),
        (
            [
                CUSTOMER,
                participant("agent", session(media_type="chat")),
                participant("agent", session(media_type="callback"), session(segment("alert"))),
            ],
            None,
        ),
        ([CUSTOMER, participant("AGENT_OF_TOMORROW", session())], "no_agent"),
        ([], "no_agent"),
    ],
)
def test_an_agent_call_has_an_agent_with_a_voice_session(
    participants: list[Participant], excluded: str | None
) -> None:
    assert why_excluded(conversation(*participants)) == excluded


@pytest.mark.parametrize(
    ("sessions", "voice"),
    [
        ([session(media_type="chat"), session()], True),
        ([session(media_type="callback")], False),
        ([session(media_type="callback"), Session()], False),
        ([Session()], True),
        ([], True),
    ],
)
def test_voice_is_any_voice_session_or_none_that_says_otherwise(
    sessions: list[Session], voice: bool
) -> None:
    assert is_voice(conversation(participant("customer", *sessions))) is voice


def test_a_call_is_answered_when_a_session_of_an_agent_interacts() -> None:
    assert agent_call(conversation(CUSTOMER, rang(10), answered(40))).answered
    assert not agent_call(conversation(CUSTOMER, rang(10), rang(40))).answered


def test_agents_come_in_the_order_of_their_first_segment_each_once() -> None:
    call = agent_call(
        conversation(answered(90, "u-3"), rang(20, "u-2"), answered(50, "u-1"), rang(70, "u-2"))
    )
    assert call.agent_ids == ["u-2", "u-1", "u-3"]


def test_queue_wrap_up_and_end_are_of_the_last_session_that_answered() -> None:
    call = agent_call(
        conversation(
            answered(100, "u-2", wrap_up_code="w-late", queue_id="q-late"),
            answered(10, "u-1", wrap_up_code="w-early", queue_id="q-early"),
            rang(200, "u-3"),
        )
    )
    assert (call.queue_id, call.wrap_up_code, call.disconnect_type) == ("q-late", "w-late", "peer")


def test_where_nobody_answered_they_are_of_the_last_session_that_rang() -> None:
    call = agent_call(conversation(rang(40, "u-2"), rang(10, "u-1")))
    assert (call.queue_id, call.wrap_up_code) == ("q-rang", None)
    assert call.disconnect_type == "system"


def test_the_end_of_the_talk_counts_for_more_than_the_end_of_the_wrap_up() -> None:
    talk = segment("interact", 5, disconnect_type="transfer")
    wrap_up = segment("wrapup", 60, disconnect_type="peer")
    call = agent_call(conversation(participant("agent", session(talk, wrap_up))))
    assert call.disconnect_type == "transfer"


def test_times_are_summed_over_the_voice_sessions_of_agents_only() -> None:
    def timed(purpose: str, handled: float, media_type: str = "voice") -> Participant:
        metrics = (
            Metric("tTalkComplete", handled / 2),
            Metric("tTalkComplete", handled / 4),
            Metric("tHandle", handled),
            Metric("nConnected", 1),
            Metric("tHandle", None),
        )
        return participant(
            purpose, session(segment("interact"), media_type=media_type, metrics=metrics)
        )

    call = agent_call(
        conversation(
            timed("agent", 1000),
            timed("agent", 200),
            timed("customer", 9000),
            timed("agent", 9000, media_type="callback"),
        )
    )
    assert (call.talk_ms, call.handle_ms) == (900, 1200)
    assert (call.hold_ms, call.acw_ms) == (None, None)


def test_the_numbers_are_of_the_first_voice_session_of_the_outside_party() -> None:
    transferred = participant(
        "customer", session(segment("interact", 300), ani="sip:gateway", dnis="tel:+5115550111")
    )
    call = agent_call(conversation(transferred, answered(10), CUSTOMER))
    assert (call.ani, call.dnis) == ("+5115550100", "+5115550199")


def test_an_address_without_a_scheme_stays_as_it_is() -> None:
    anonymous = participant("external", session(segment("interact"), ani="anonymous"))
    call = agent_call(conversation(anonymous, answered(10)))
    assert (call.ani, call.dnis) == ("anonymous", None)


def test_every_recorded_voice_session_counts_whoever_it_belongs_to() -> None:
    call = agent_call(
        conversation(
            CUSTOMER,
            participant("agent", session(segment("alert"), recording=True)),
            participant("acd", session(recording=False)),
            participant("agent", session(media_type="callback", recording=True)),
        )
    )
    assert call.recording_sessions == 2


def test_queues_come_in_the_order_in_which_the_call_passed_them() -> None:
    late = participant("acd", session(segment("delay", 90, queue_id="q-2")))
    early = participant("acd", session(segment("delay", 10, queue_id="q-1")))
    undated = participant("acd", Session(segments=(segment("delay"),)))
    assert queue_ids(conversation(late, early, undated, late)) == ["q-1", "q-2"]


def test_an_agent_without_any_segment_is_still_an_agent() -> None:
    call = agent_call(conversation(participant("agent", session(), user_id="u-1")))
    assert (call.agent_ids, call.answered, call.queue_id) == (["u-1"], False, None)


def test_rows_are_made_of_the_conversations_that_have_an_agent() -> None:
    def row(conversation_id: str, has_agent: bool) -> tuple[object, ...]:
        agent = {"purpose": "agent", "userId": "u-1", "sessions": [{"mediaType": "voice"}]}
        payload = {
            "conversationId": conversation_id,
            "conversationStart": START.isoformat(),
            "conversationEnd": (START + timedelta(minutes=1)).isoformat(),
            "participants": [agent] if has_agent else [],
        }
        return conversation_id, has_agent, json.dumps(payload)

    stream = iter([row("c-1", True), row("c-2", False), row("c-3", True)])
    rows = agent_call_rows(DAY, DayRows(("conversation_id", "has_agent", "payload"), stream))
    found = [dict(zip(rows.columns, each, strict=True)) for each in rows.rows]
    assert [each["conversation_id"] for each in found] == ["c-1", "c-3"]
    assert found[0]["call_date"] == DAY
    assert found[0]["agent_ids"] == ["u-1"]
    assert found[0]["ended_at"] == START + timedelta(minutes=1)


def test_the_times_of_real_calls_add_up() -> None:
    calls = [agent_call(each) for each in sample_conversations() if why_excluded(each) is None]
    assert len(calls) == 7
    for call in calls:
        assert call.answered
        assert call.agent_ids
        assert call.recording_sessions
        assert call.handle_ms == (call.talk_ms or 0) + (call.hold_ms or 0) + (call.acw_ms or 0)
