"""The legs of people of the org on a call: agents who answer or only ring, users, voicemail.

Kept apart from `script.py` because an agent's leg is the one that this project's business reads
closest: alert, talk, holds, after-call work, and the metrics that add up to the handle time.
"""

from __future__ import annotations

from audio_extract_dagster.simulator.model import Payload, Queue
from audio_extract_dagster.simulator.script import Script, add_metric, add_segment


def answers(
    script: Script, user: str, queue: Queue, *, talk: int | None = None, ending: str = "peer"
) -> Payload:
    """An agent is alerted, talks (now and then with a hold) and wraps up. Returns the session.

    The story's time moves to the end of the talk; the after-call work goes on beyond it, and
    the conversation does not end before it does.
    """
    session = _agent_session(script, user)
    alerted = script.at
    answered = alerted + script.seconds(1, 8)
    add_segment(session, "alert", alerted, answered, queueId=queue.id)
    add_metric(session, "tAlert", answered, answered - alerted)
    add_metric(session, "tAnswered", answered, answered - alerted)
    spent = script.talk_time() if talk is None else talk
    talked, held, hung_up = _conversation(script, session, queue, answered, spent)
    session["segments"][-1]["disconnectType"] = ending
    acw = script.seconds(2, 45)
    _wrap_up(script, session, queue, hung_up, hung_up + acw, ending)
    for name, value in (
        ("tTalkComplete", talked),
        ("tHeldComplete", held),
        ("tAcw", acw),
        ("tHandle", talked + held + acw),
    ):
        if value:
            add_metric(session, name, hung_up + acw, value)
    if script.rng.random() < 0.03:
        del session["metrics"]  # some payloads lack them
    script.talk_ms += talked
    script.at = hung_up
    script.lasts_until(hung_up + acw)
    return session


def rings(script: Script, user: str, queue: Queue, ending: str) -> Payload:
    """An agent is alerted and does not answer: `peer` (caller gave up) or a transfer onwards."""
    session = _agent_session(script, user)
    end = script.at + script.seconds(6, 20)
    add_segment(session, "alert", script.at, end, queueId=queue.id, disconnectType=ending)
    add_metric(session, "tAlert", end, end - script.at)
    add_metric(session, "tNotResponding", end, end - script.at)
    script.at = end
    script.lasts_until(end)
    return session


def user_leg(script: Script, user: str, milliseconds: int) -> None:
    """An org user outside contact-centre routing: a business call, or the target of a consult."""
    session = script.session(peerId=script.customer_session, ani=f"sip:{user}@example.invalid")
    end = script.at + milliseconds
    add_segment(session, "dialing", script.at, script.at + 900)
    add_segment(session, "interact", script.at + 900, end, disconnectType="client")
    script.join("user", session, userId=user)
    script.lasts_until(end)


def voicemail_leg(script: Script, milliseconds: int) -> None:
    """The caller leaves a message."""
    session = script.session(peerId=script.customer_session)
    end = script.at + milliseconds
    add_segment(session, "system", script.at, script.at + 120)
    add_segment(
        session, "voicemail", script.at + 120, end, queueId=script.queue.id, disconnectType="peer"
    )
    add_metric(session, "tVoicemail", end, end - script.at)
    script.join("voicemail", session, participantName="Voicemail")
    script.at = end
    script.lasts_until(end)


def _agent_session(script: Script, user: str) -> Payload:
    """A new session of this agent, who joins when not yet there."""
    session = script.session(
        peerId=script.customer_session,
        remote="Lima, PE",
        selectedAgentId=user,
        usedRouting="Standard",
        requestedRoutings=["Standard"],
    )
    for participant in script.participants:
        if participant.get("userId") == user:
            participant["sessions"].append(session)
            return session
    script.join("agent", session, userId=user)
    return session


def _conversation(
    script: Script, session: Payload, queue: Queue, answered: int, talk: int
) -> tuple[int, int, int]:
    """Talk, or talk, hold and talk: milliseconds talked and held, and when it was over."""
    pieces = [("interact", talk)]
    if script.rng.random() < 0.3:
        first = int(talk * script.rng.uniform(0.2, 0.8))
        hold = script.seconds(5, 60)
        pieces = [("interact", first), ("hold", hold), ("interact", talk - first)]
    at = answered
    for kind, length in pieces:
        add_segment(session, kind, at, at + length, queueId=queue.id)
        at += length
        add_metric(session, "tTalk" if kind == "interact" else "tHeld", at, length)
    return talk, at - answered - talk, at


def _wrap_up(
    script: Script, session: Payload, queue: Queue, start: int, end: int, ending: str
) -> None:
    timed_out = script.rng.random() < 0.1
    code = "ININ-WRAP-UP-TIMEOUT" if timed_out else script.rng.choice(script.cast.wrap_up_codes)
    fields: Payload = {"queueId": queue.id, "disconnectType": ending, "wrapUpCode": code}
    if script.rng.random() < 0.8:
        fields["errorCode"] = "error.ininedgecontrol.session.inactive"  # a normal end
    add_segment(session, "wrapup", start, end, **fields)
