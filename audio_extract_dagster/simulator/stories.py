"""What can happen to a call: each story is a few lines on a `Script`, named and weighted.

`STORIES` is the mix of a contact centre's day; every story appears on every day with enough calls.
When calls start is decided in `world.py`, what is recorded of them in `recordings.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from audio_extract_dagster.simulator.agents import answers, rings, user_leg, voicemail_leg
from audio_extract_dagster.simulator.model import iso
from audio_extract_dagster.simulator.script import Script, add_metric, add_segment

_CLEAN_UP_MS = 60 * 24 * 3_600_000
"""Conversations with a forgotten leg are closed about sixty days after their start."""


def _reach_an_agent(script: Script) -> str:
    """Menu and queue; returns the agent who will be alerted."""
    script.menu()
    script.wait(script.queue, script.seconds(2, 90))
    return script.other_user()


def _answered(script: Script) -> None:
    answers(script, _reach_an_agent(script), script.queue)
    script.customer(script.at, "endpoint")


def _across_midnight(script: Script) -> None:
    """Two minutes before midnight, and long enough to end on the next day."""
    answers(script, _reach_an_agent(script), script.queue, talk=script.seconds(150, 400))
    script.customer(script.at, "endpoint")


def _answered_twice(script: Script, *, same_agent: bool) -> None:
    """Blind transfer to a second queue, to another agent or back to the first."""
    first = _reach_an_agent(script)
    answers(script, first, script.queue, ending="transfer")
    second_queue = script.rng.choice([q for q in script.cast.queues if q != script.queue])
    script.wait(second_queue, script.seconds(2, 30))
    second = first if same_agent else script.other_user(first)
    answers(script, second, second_queue)
    script.customer(script.at, "endpoint")


def _transfer(script: Script) -> None:
    _answered_twice(script, same_agent=False)


def _transfer_back(script: Script) -> None:
    _answered_twice(script, same_agent=True)


def _conference(script: Script) -> None:
    """The agent adds an outside number, which appears as a further customer."""
    session = answers(script, _reach_an_agent(script), script.queue)
    talk = session["segments"][-2]
    talk["conference"] = True
    added = script.session(ani="sip:line@example.invalid", dnis=script.caller)
    start = script.at - script.seconds(1, 3)
    add_segment(
        added,
        "interact",
        start,
        script.at,
        conference=True,
        disconnectType="peer",
        sourceConversationId=script.new_id(),
    )
    script.join("customer", added)
    script.customer(script.at, "endpoint")


def _consult(script: Script) -> None:
    """The agent asks a colleague while the caller holds."""
    user = _reach_an_agent(script)
    script_start = script.at
    session = answers(script, user, script.queue)
    end, script.at = script.at, script_start + 1000
    user_leg(script, script.other_user(user), min(20_000, end - script.at))
    if "metrics" in session:
        add_metric(session, "nConsult", end, 1)
    script.at = end
    script.customer(end, "endpoint")


def _rang_then_abandoned(script: Script) -> None:
    rings(script, _reach_an_agent(script), script.queue, "peer")
    script.customer(script.at, "endpoint")


def _rang_then_other(script: Script) -> None:
    first = _reach_an_agent(script)
    rings(script, first, script.queue, "noAnswerTransfer")
    script.wait(script.queue, script.seconds(1, 20))
    answers(script, script.other_user(first), script.queue)
    script.customer(script.at, "endpoint")


def _abandoned(script: Script) -> None:
    script.menu()
    script.wait(script.queue, script.seconds(10, 240), ending="peer")
    script.customer(script.at, "endpoint")


def _ivr_only(script: Script) -> None:
    script.menu(ending="peer")
    participant = script.customer(script.at, "endpoint")
    del participant["sessions"][0]["segments"][-1]["queueId"]  # it never reached one


def _business(script: Script) -> None:
    """A direct call between a user and an outside number: no queue, no agent."""
    script.direction = script.rng.choice(["inbound", "outbound"])
    length = script.talk_time()
    user_leg(script, script.other_user(), length)
    script.at += length
    script.talk_ms += length
    participant = script.customer(script.at, "peer", purpose="external")
    del participant["sessions"][0]["segments"][-1]["queueId"]


def _outbound(script: Script) -> None:
    """An agent calls out on behalf of the queue; the dialled number is the dnis."""
    script.direction = "outbound"
    script.caller, script.called = script.called, script.caller
    session = answers(script, script.other_user(), script.queue, ending="client")
    session["segments"][0]["segmentType"] = "dialing"
    script.customer(script.at, "peer")


def _callback(script: Script) -> None:
    """The caller asked to be called back: a callback session without audio, then a voice one."""
    script.direction = "outbound"
    user = script.other_user()
    accepted = script.at + script.seconds(20, 300)
    callback = script.session(
        "callback",
        provider="PureCloud Callback",
        callbackNumbers=[script.caller.removeprefix("tel:")],
        skipEnabled=True,
        timeoutSeconds=0,
    )
    add_segment(callback, "callback", script.at, accepted, queueId=script.queue.id)
    script.join("agent", callback, userId=user)
    script.at = accepted
    answers(script, user, script.queue, ending="client")
    callback["segments"][0]["segmentEnd"] = iso(script.at)
    script.customer(script.at, "peer")


def _voicemail(script: Script) -> None:
    script.menu()
    voicemail_leg(script, script.seconds(8, 60))
    script.customer(script.at, "endpoint")


def _open(script: Script) -> None:
    """The agent never finished the after-call work: nothing of it has an end."""
    session = answers(script, _reach_an_agent(script), script.queue)
    wrap_up = session["segments"][-1]
    for known_at_the_end in ("segmentEnd", "disconnectType", "wrapUpCode", "errorCode"):
        wrap_up.pop(known_at_the_end, None)
    session["metrics"] = [
        metric
        for metric in session.get("metrics", ())
        if metric["name"] in ("tAlert", "tAnswered", "tTalk", "tHeld")
    ]
    script.customer(script.at, "endpoint")
    script.stays_open = True


def _stuck(script: Script) -> None:
    """The agents are done, an outside leg stays open until the platform cleans up."""
    answers(script, _reach_an_agent(script), script.queue, ending="transfer")
    closed = script.start_ms + _CLEAN_UP_MS + script.seconds(0, 3600)
    forgotten = script.session(ani="sip:line@example.invalid", dnis=script.caller)
    add_segment(forgotten, "interact", script.at, closed, disconnectType="other")
    script.join("customer", forgotten)
    script.customer(closed, "endpoint")


def _chat(script: Script) -> None:
    """Not a call: a customer and an agent write."""
    end = script.at + script.seconds(60, 900)
    for purpose, extra in (("customer", {}), ("agent", {"userId": script.other_user()})):
        session = script.session("chat")
        add_segment(
            session, "interact", script.at, end, queueId=script.queue.id, disconnectType="client"
        )
        script.join(purpose, session, **extra)
    script.lasts_until(end)


def _flood(script: Script) -> None:
    """The least a call can be, quick to make: for days of more than 100,000."""
    end = script.at + 20_000
    session = script.session(sessionId=script.customer_session)
    add_segment(
        session, "interact", script.at, end, queueId=script.queue.id, disconnectType="endpoint"
    )
    script.join("customer", session)
    script.lasts_until(end)


STORIES: dict[str, tuple[Callable[[Script], None], float]] = {
    "answered": (_answered, 50.0),
    "abandoned": (_abandoned, 8.0),
    "transfer": (_transfer, 8.0),
    "rang_then_abandoned": (_rang_then_abandoned, 3.0),
    "rang_then_other": (_rang_then_other, 4.0),
    "ivr_only": (_ivr_only, 5.0),
    "outbound": (_outbound, 6.0),
    "callback": (_callback, 3.0),
    "conference": (_conference, 3.0),
    "consult": (_consult, 3.0),
    "voicemail": (_voicemail, 2.0),
    "business": (_business, 3.0),
    "open": (_open, 0.5),
    "stuck": (_stuck, 0.5),
    "transfer_back": (_transfer_back, 1.0),
    # Two ordinary calls at extraordinary times, once a day each: see `world.py`.
    "crosses_midnight": (_across_midnight, 0.0),
    "last_moment": (_answered, 0.0),
    # Beside the calls.
    "chat": (_chat, 0.0),
    "flood": (_flood, 0.0),
}
"""Name → how it is played, and its share of the calls that are drawn at random."""
