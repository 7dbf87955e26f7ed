"""Writes the payload of one conversation, leg by leg, in the shapes of Genesys Cloud.

A `Script` keeps the time of the story (`at`, milliseconds since 1970) and has a method for each
kind of leg: the customer's, a flow's, a queue's, an agent's. What happens in which order is told in
`stories.py`. Shapes follow real payloads: who has names, where metrics and flags stand, which
segments follow each other.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from audio_extract_dagster.simulator.model import Payload, Queue, iso


@dataclass(frozen=True, slots=True)
class Cast:
    """Who and what an org's stories are played with."""

    queues: Sequence[Queue]
    users: Sequence[tuple[str, str]]
    wrap_up_codes: Sequence[str]
    division_id: str
    flow_id: str
    edge_id: str


@dataclass(slots=True)
class Script:
    """One conversation in the making."""

    conversation_id: str
    start_ms: int
    rng: random.Random
    cast: Cast
    queue: Queue
    direction: str = "inbound"
    recorded: bool = True
    at: int = 0
    talk_ms: int = 0
    stays_open: bool = False
    participants: list[Payload] = field(default_factory=list)
    caller: str = field(init=False)
    called: str = field(init=False)
    customer_session: str = field(init=False)
    ended: int = field(init=False)

    def __post_init__(self) -> None:
        self.at = self.start_ms
        digits = self.rng.getrandbits(20)
        self.caller = f"tel:+5119555{digits % 10_000:04d}"
        self.called = f"tel:+5115550{100 + digits % 100}"
        self.ended = self.start_ms
        self.customer_session = self.new_id()

    def new_id(self) -> str:
        digits = f"{self.rng.getrandbits(120):030x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-8{digits[15:18]}-{digits[18:]}"

    def seconds(self, low: float, high: float) -> int:
        """A duration in milliseconds."""
        return int(1000 * self.rng.uniform(low, high))

    def talk_time(self) -> int:
        """Milliseconds an agent talks: 90 s in the median, ten minutes at most."""
        return int(1000 * min(600.0, max(4.0, self.rng.lognormvariate(4.5, 0.7))))

    def other_user(self, *taken: str) -> str:
        """The id of a user who is not yet in the story."""
        return self.rng.choice([user for user, _ in self.cast.users if user not in taken])

    def payload(self) -> Payload:
        """The finished conversation."""
        result: Payload = {
            "conversationId": self.conversation_id,
            "conversationStart": iso(self.start_ms),
            "originatingDirection": self.direction,
            "divisionIds": [self.cast.division_id],
            "mediaStatsMinConversationMos": round(self.rng.uniform(3.9, 4.9), 12),
            "mediaStatsMinConversationRFactor": round(self.rng.uniform(75, 93), 12),
            "participants": self.participants,
        }
        if not self.stays_open:
            result["conversationEnd"] = iso(self.ended)
        return result

    def session(self, media: str = "voice", **fields: object) -> Payload:
        """A session with what every leg of its kind has; segments and metrics still empty."""
        result: Payload = {
            "sessionId": self.new_id(),
            "mediaType": media,
            "direction": self.direction,
        }
        if media == "voice":
            result |= {
                "provider": "Edge",
                "edgeId": self.cast.edge_id,
                "ani": self.caller,
                "dnis": self.called,
                "sessionDnis": self.called,
                "protocolCallId": f"call-{self.rng.getrandbits(32)}@example.invalid",
            }
        return result | fields | {"metrics": [], "segments": []}

    def participant(self, purpose: str, session: Payload, **fields: object) -> Payload:
        """Somebody with one session; not yet part of the conversation."""
        new = {"participantId": self.new_id(), "purpose": purpose, **fields}
        new["sessions"] = [session]
        return new

    def join(self, purpose: str, session: Payload, **fields: object) -> None:
        """A new participant with this session comes in."""
        self.participants.append(self.participant(purpose, session, **fields))

    def lasts_until(self, end: int) -> None:
        """The conversation does not end before this moment."""
        self.ended = max(self.ended, end)

    def customer(self, until: int, ending: str, purpose: str = "customer") -> Payload:
        """The outside party's leg from the start of the story; the first of the participants."""
        session = self.session(sessionId=self.customer_session)
        if self.recorded:
            session["recording"] = True
        connected = self.start_ms + self.rng.randrange(80, 400)
        queued = {"queueId": self.queue.id}
        add_segment(session, "system", self.start_ms, connected)
        add_segment(session, "interact", connected, until, disconnectType=ending, **queued)
        add_metric(session, "nConnected", connected, 1)
        add_metric(session, "tConnected", until, until - connected)
        session["mediaEndpointStats"] = [
            {
                "codecs": ["audio/PCMU"],
                "eventTime": iso(until),
                "maxLatencyMs": self.rng.randrange(10, 60),
                "minMos": round(self.rng.uniform(3.9, 4.9), 12),
                "receivedPackets": (until - connected) // 20,
            }
        ]
        name = {"participantName": "Lima, PE"} if self.rng.random() < 0.7 else {}
        participant = self.participant(purpose, session, **name)
        self.participants.insert(0, participant)
        self.lasts_until(until)
        return participant

    def menu(self, ending: str = "transfer") -> None:
        """The inbound call flow; the story goes on when the caller leaves it."""
        end = self.at + self.seconds(5, 40)
        flow = {
            "flowId": self.cast.flow_id,
            "flowName": "Main menu",
            "flowType": "INBOUNDCALL",
            "flowVersion": "16.0",
            "entryType": "dnis",
            "entryReason": self.called,
            "exitReason": "TRANSFER" if ending == "transfer" else "DISCONNECT",
            "startingLanguage": "es-us",
        }
        session = self.session(peerId=self.customer_session, flow=flow)
        entered = self.at + 20
        add_segment(session, "system", self.at, entered)
        add_segment(session, "ivr", entered, end, disconnectType=ending)
        add_metric(session, "nFlow", entered, 1)
        add_metric(session, "tIvr", end, end - self.at)
        add_metric(session, "tFlow", end, end - entered)
        self.join("ivr", session, participantName="Main menu")
        self.at = end
        self.lasts_until(end)

    def wait(self, queue: Queue, milliseconds: int, ending: str = "transfer") -> None:
        """Time in a queue: `transfer` when an agent was found, `peer` when the caller gave up."""
        end = self.at + milliseconds
        session = self.session(
            peerId=self.customer_session, flowInType="ivr", usedRouting="Standard"
        )
        offered = self.at + 40
        add_segment(session, "delay", self.at, offered, queueId=queue.id)
        add_segment(session, "interact", offered, end, queueId=queue.id, disconnectType=ending)
        add_metric(session, "nOffered", offered, 1)
        add_metric(session, "tAcd", end, end - offered)
        name = {"participantName": queue.name} if self.direction == "inbound" else {}
        self.join("acd", session, **name)
        self.at = end
        self.lasts_until(end)


def add_segment(session: Payload, kind: str, start: int, end: int, **fields: object) -> None:
    session["segments"].append(
        {
            "segmentStart": iso(start),
            "segmentEnd": iso(end),
            "segmentType": kind,
            "conference": False,
            **fields,
        }
    )


def add_metric(session: Payload, name: str, at: int, value: int) -> None:
    session["metrics"].append({"emitDate": iso(at), "name": name, "value": value})
