"""The simulator's own paths, below `/simulator/`: turn switches, script faults, read the truth.

They need no token, count as no operation and are never struck by a fault.
"""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Any

import msgspec

from audio_extract_dagster.errors import Never
from audio_extract_dagster.simulator.call import Call
from audio_extract_dagster.simulator.faults import Fault
from audio_extract_dagster.simulator.messages import Reply, bad_request
from audio_extract_dagster.simulator.model import Conversation, Payload, iso


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


def show_switches(call: Call) -> Reply:
    return Reply.json(call.org.switches.as_dict())


def change_switches(call: Call) -> Reply:
    try:
        call.org.switches.update(call.request.json_object())
    except Never as error:
        raise bad_request(str(error)) from None
    return Reply.json(call.org.switches.as_dict())


def add_fault(call: Call) -> Reply:
    try:
        asked = msgspec.convert(call.request.json_object(), _FaultBody)
        call.org.faults.add(Fault(**msgspec.structs.asdict(asked)))
    except (Never, msgspec.ValidationError) as error:
        raise bad_request(str(error)) from None
    return Reply(201, b"{}")


def clear_faults(call: Call) -> Reply:
    call.org.faults.clear()
    return Reply(204)


def show_counters(call: Call) -> Reply:
    counters = call.org.counters
    downloads = [
        {"conversationId": conversation, "recordingId": recording, "part": part, "count": count}
        for (conversation, recording, part), count in counters.downloads.items()
    ]
    return Reply.json({"operations": counters.operations, "downloads": downloads})


def clear_counters(call: Call) -> Reply:
    call.org.counters.clear()
    return Reply(204)


def show_batches(call: Call) -> Reply:
    return Reply.json(
        [
            {"id": job.job_id, "clientId": job.client_id, "items": job.items}
            for job in call.services.batches.submissions
        ]
    )


def revoke_tokens(call: Call) -> Reply:
    return Reply.json({"revoked": call.org.tokens.revoke_all()})


def finish_uploads(call: Call) -> Reply:
    call.org.finish_uploads()
    return Reply(204)


def show_world(call: Call) -> Reply:
    """Everything that starts on a local day; with `checksums=true`, of each file too."""
    query = call.request.query
    try:
        day = date.fromisoformat(query.get("day", ""))
    except ValueError:
        raise bad_request("The parameter day must be a date: YYYY-MM-DD.") from None
    source = call.org.source
    checksums = query.get("checksums") == "true"
    truths = [_truth(call, source.build(slot), checksums) for slot in source.on_day(day)]
    return Reply.json({"day": day.isoformat(), "conversations": truths})


def _truth(call: Call, conversation: Conversation, checksums: bool) -> Payload:
    recordings: list[Payload] = []
    for recording in conversation.recordings:
        truth: Payload = {
            "id": recording.id,
            "media": recording.media,
            "state": recording.state,  # as it was made: a look here must not start an upload
            "contentType": call.org.content_type(recording),
            "seconds": recording.seconds,
            "parts": recording.parts,
        }
        if checksums:
            files = (call.org.content(recording, part) for part in range(recording.parts))
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
