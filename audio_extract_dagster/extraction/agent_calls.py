"""Which conversations are agent calls, and what is kept of each.

The rule (an agent call): a participant with purpose `agent` that itself has a voice session, also
one that only rang. Everything here is a pure function of one conversation; where conversations
come from is in `extraction/listing.py`, the wire format in `genesys/wire.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime, timezone

from audio_extract_dagster.database.day_tables import DayRows
from audio_extract_dagster.database.ledger.expiry import FORGOTTEN_PAYLOAD
from audio_extract_dagster.genesys import Conversation, Participant, Segment, Session
from audio_extract_dagster.genesys.wire import read_conversation

_END_OF_TIME = datetime.max.replace(tzinfo=timezone.utc)
_TALKING = frozenset({"interact", "hold"})


@dataclass(frozen=True)
class AgentCall:
    """One row of the table `agent_calls` but for its day. Times of `*_ms` are milliseconds."""

    conversation_id: str
    conversation_start: datetime
    ended_at: datetime | None
    direction: str | None
    agent_ids: list[str]
    answered: bool
    ani: str | None
    dnis: str | None
    talk_ms: int | None
    hold_ms: int | None
    acw_ms: int | None
    handle_ms: int | None
    queue_id: str | None
    wrap_up_code: str | None
    disconnect_type: str | None
    recording_sessions: int


def agent_call_rows(call_date: date, conversations: DayRows) -> DayRows:
    """The rows of `agent_calls` out of the rows of `conversations` of the same day, as a stream.

    `conversations.rows` give `has_agent`, and `payload` as JSON text. Where RETENTION_DAYS have
    taken the payload, nothing can be said anew: the call is left as it is.
    """
    has_agent = conversations.columns.index("has_agent")
    payload = conversations.columns.index("payload")
    calls = (
        agent_call(read_conversation(str(row[payload]).encode()))
        for row in conversations.rows
        if row[has_agent] and row[payload] != FORGOTTEN_PAYLOAD
    )
    names = [field.name for field in fields(AgentCall)]
    rows = ((call_date, *(getattr(call, name) for name in names)) for call in calls)
    return DayRows(("call_date", *names), rows)


def is_voice(conversation: Conversation) -> bool:
    """Whether any participant has a voice session, or nothing tells what it is.

    Only voice is asked for: a conversation that comes without its sessions is one of them.
    """
    if any(map(_has_voice, conversation.participants)):
        return True
    media = {s.media_type for p in conversation.participants for s in p.sessions}
    return media <= {None}


def why_excluded(conversation: Conversation) -> str | None:
    """Why a voice conversation is no agent call; None for an agent call."""
    agents = [p for p in conversation.participants if p.purpose == "agent"]
    if not agents:
        return "no_agent"
    return None if any(map(_has_voice, agents)) else "agent_without_voice"


def queue_ids(conversation: Conversation) -> list[str]:
    """Every queue the conversation passed through, in order of first appearance."""
    segments = [
        segment
        for participant in conversation.participants
        for session in participant.sessions
        for segment in session.segments
        if segment.queue_id
    ]
    queues = dict.fromkeys([segment.queue_id for segment in segments])
    if len(queues) > 1:  # mostly there is one: nothing to sort
        segments.sort(key=_segment_start)
        queues = dict.fromkeys([segment.queue_id for segment in segments])
    return [queue for queue in queues if queue]


def agent_call(conversation: Conversation) -> AgentCall:
    """What is kept of an agent call (`why_excluded` must be None)."""
    legs = sorted(_agent_legs(conversation), key=lambda leg: _session_start(leg[1]))
    sessions = [session for _, session in legs]
    answering = [s for s in sessions if _answered_at(s) is not None]
    # Of the last session that answered, else of the last that rang.
    last = max(answering, key=lambda s: _answered_at(s) or _END_OF_TIME, default=sessions[-1])
    ani, dnis = _numbers(conversation)
    return AgentCall(
        conversation_id=conversation.id,
        conversation_start=conversation.start,
        ended_at=conversation.end,
        direction=conversation.originating_direction,
        agent_ids=list(dict.fromkeys(agent.user_id for agent, _ in legs if agent.user_id)),
        answered=bool(answering),
        ani=ani,
        dnis=dnis,
        talk_ms=_metric(sessions, "tTalkComplete"),
        hold_ms=_metric(sessions, "tHeldComplete"),
        acw_ms=_metric(sessions, "tAcw"),
        handle_ms=_metric(sessions, "tHandle"),
        queue_id=_last(g.queue_id for g in last.segments),
        wrap_up_code=_last(g.wrap_up_code for g in last.segments),
        disconnect_type=_disconnect_type(last),
        recording_sessions=sum(
            bool(s.recording) for p in conversation.participants for s in p.sessions if _is_voice(s)
        ),
    )


def _is_voice(session: Session) -> bool:
    return session.media_type == "voice"


def _has_voice(participant: Participant) -> bool:
    # A loop takes half the time of `any`, and every conversation comes through here.
    for session in participant.sessions:  # noqa: SIM110
        if session.media_type == "voice":
            return True
    return False


def _agent_legs(conversation: Conversation) -> Iterator[tuple[Participant, Session]]:
    for participant in conversation.participants:
        if participant.purpose == "agent":
            for session in participant.sessions:
                if _is_voice(session):
                    yield participant, session


def _segment_start(segment: Segment) -> datetime:
    return segment.start or _END_OF_TIME


def _session_start(session: Session) -> datetime:
    return min(map(_segment_start, session.segments), default=_END_OF_TIME)


def _answered_at(session: Session) -> datetime | None:
    starts = [_segment_start(g) for g in session.segments if g.type == "interact"]
    return min(starts, default=None)


def _numbers(conversation: Conversation) -> tuple[str | None, str | None]:
    """The `ani` and `dnis` of the first voice session of the outside party, without scheme."""
    outside = [
        session
        for participant in conversation.participants
        if participant.purpose in ("customer", "external")
        for session in participant.sessions
        if _is_voice(session)
    ]
    if not outside:
        return None, None
    first = min(outside, key=_session_start)
    return _without_scheme(first.ani), _without_scheme(first.dnis)


def _without_scheme(address: str | None) -> str | None:
    for scheme in ("tel:", "sip:"):
        if address and address.startswith(scheme):
            return address[len(scheme) :]
    return address


def _metric(sessions: Iterable[Session], name: str) -> int | None:
    values = [
        metric.value
        for session in sessions
        for metric in session.metrics
        if metric.name == name and metric.value is not None
    ]
    return round(sum(values)) if values else None


def _last(values: Iterable[str | None]) -> str | None:
    present = [value for value in values if value]
    return present[-1] if present else None


def _disconnect_type(session: Session) -> str | None:
    """The disconnect type of the last talking segment, else of the last segment that has one."""
    talking = _last(g.disconnect_type for g in session.segments if g.type in _TALKING)
    return talking or _last(g.disconnect_type for g in session.segments)
