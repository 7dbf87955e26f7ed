"""The storage behind the links of a batch: no token, no JSON, answers of its own in XML."""

from __future__ import annotations

from xml.sax.saxutils import escape

from audio_extract_dagster.simulator.links import BrokenLink
from audio_extract_dagster.simulator.messages import Reply
from audio_extract_dagster.simulator.routed_request import RoutedRequest


def download(routed: RoutedRequest) -> Reply:
    org, request = routed.org, routed.request
    if "authorization" in request.headers:
        return _refusal(400, "InvalidArgument", "Only one auth mechanism allowed")
    try:
        org.links.check(request.path, request.query, org.clock.now())
    except BrokenLink as problem:
        return _refusal(403, problem.code, str(problem))
    conversation_id, number, part = routed.arguments
    conversation = org.find(conversation_id)
    if conversation is None:
        return _refusal(404, "NoSuchKey", "The specified key does not exist.")
    recording = conversation.recordings[int(number)]
    org.clock.sleep(org.switches.download_latency_ms / 1000)
    body = org.content(recording, int(part))
    org.counters.count_download(conversation.id, recording.id, int(part))
    return Reply(200, body, org.content_type(recording), {"Accept-Ranges": "none"})


def _refusal(status: int, code: str, message: str) -> Reply:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    )
    return Reply(status, body.encode(), "application/xml")
