"""The simulator's own paths, below `/simulator/`: turn switches, script faults, read the truth.

They need no token, count as no operation and are never struck by a fault.
"""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Any

import msgspec

from audio_extract_dagster.errors import Never
from audio_extract_dagster.simulator.faults import Fault
from audio_extract_dagster.simulator.messages import Reply, bad_request
from audio_extract_dagster.simulator.model import Conversation, Payload, iso
from audio_extract_dagster.simulator.routed_request import RoutedRequest


class _FaultBody(msgspec.Struct, forbid_unknown_fields=True):
    """A `Fault` as it can be asked for over HTTP: all but the function that changes an answer."""

    operation: str
    kind: str
    times: int | None = 1
    after: int = 0
    probability: float = 1.0
    match: str = ""
    params: dict[str, Any] = {}
    acts: bool = False


def show_switches(routed: RoutedRequest) -> Reply:
    return Reply.json(routed.org.switches.as_dict())


def change_switches(routed: RoutedRequest) -> Reply:
    try:
        routed.org.switches.update(routed.request.json_object())
    except Never as error:
        raise bad_request(str(error)) from None
    return Reply.json(routed.org.switches.as_dict())


def add_fault(routed: RoutedRequest) -> Reply:
    try:
        asked = msgspec.convert(routed.request.json_object(), _FaultBody)
        routed.org.faults.add(Fault(**msgspec.structs.asdict(asked)))
    except (Never, msgspec.ValidationError) as error:
        raise bad_request(str(error)) from None
    return Reply(201, b"{}")


def clear_faults(routed: RoutedRequest) -> Reply:
    routed.org.faults.clear()
    return Reply(204)


def show_counters(routed: RoutedRequest) -> Reply:
    counters = routed.org.counters
    downloads = [
        {"conversationId": conversation, "recordingId": recording, "part": part, "count": count}
        for (conversation, recording, part), count in counters.downloads.items()
    ]
    return Reply.json({"operations": counters.operations, "downloads": downloads})


def clear_counters(routed: RoutedRequest) -> Reply:
    routed.org.counters.clear()
    return Reply(204)


def show_batches(routed: RoutedRequest) -> Reply:
    return Reply.json(
        [
            {"id": job.job_id, "clientId": job.client_id, "items": job.items}
            for job in routed.services.batches.submissions
        ]
    )


def revoke_tokens(routed: RoutedRequest) -> Reply:
    return Reply.json({"revoked": routed.org.tokens.revoke_all()})


def finish_uploads(routed: RoutedRequest) -> Reply:
    routed.org.finish_uploads()
    return Reply(204)


def show_world(routed: RoutedRequest) -> Reply:
    """Everything that starts on a local day; with `checksums=true`, of each file too."""
    query = routed.request.query
    try:
        day = date.fromisoformat(query.get("day", ""))
    except ValueError:
        raise bad_request("The parameter day must be a date: YYYY-MM-DD.") from None
    source = routed.org.source
    checksums = query.get("checksums") == "true"
    truths = [_truth(routed, source.build(slot), checksums) for slot in source.on_day(day)]
    return Reply.json({"day": day.isoformat(), "conversations": truths})


def _truth(routed: RoutedRequest, conversation: Conversation, checksums: bool) -> Payload:
    recordings: list[Payload] = []
    for recording in conversation.recordings:
        truth: Payload = {
            "id": recording.id,
            "media": recording.media,
            "state": recording.state,  # as it was made: a look here must not start an upload
            "contentType": routed.org.content_type(recording),
            "seconds": recording.seconds,
            "parts": recording.parts,
        }
        if checksums:
            files = (routed.org.content(recording, part) for part in range(recording.parts))
            truth["sha256"] = [sha256(content).hexdigest() for content in files]
        recordings.append(truth)
    return {
        "id": conversation.id,
        "story": conversation.story,
        "start": iso(conversation.start_ms),
        "end": None if conversation.end_ms is None else iso(conversation.end_ms),
        "hasAgent": conversation.has_agent,
        "recordings": recordings,
    }
