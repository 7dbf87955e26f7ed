"""Recording metadata, the recording settings and batch download jobs."""

from __future__ import annotations

from audio_extract_dagster.simulator.batches import Item
from audio_extract_dagster.simulator.call import Call
from audio_extract_dagster.simulator.messages import Reply, bad_request, not_found
from audio_extract_dagster.simulator.model import Conversation, Payload, Recording, iso

_YEAR_MS = 365 * 86_400_000


def metadata(call: Call) -> Reply:
    conversation = _conversation(call)
    found = call.org.recordings(conversation)
    if not found and call.org.switches.metadata_none == "not_found":
        raise not_found(f"recordings of the conversation {conversation.id}")
    return Reply.json([_entry(call, conversation, recording) for recording in found])


def metadata_of_one(call: Call) -> Reply:
    conversation = _conversation(call)
    for recording in call.org.recordings(conversation):
        if recording.id == call.arguments[1]:
            return Reply.json(_entry(call, conversation, recording))
    raise not_found(f"the recording {call.arguments[1]}")


def settings(call: Call) -> Reply:
    minutes = call.org.switches.link_minutes
    shown = int(minutes) if minutes == int(minutes) else minutes
    return Reply.json(
        {
            "maxSimultaneousStreams": 4,
            "maxConfigurableScreenRecordingStreams": 4,
            "regionalRecordingStorageEnabled": False,
            "recordingPlaybackUrlTtl": 60,
            "recordingBatchDownloadUrlTtl": shown,
        }
    )


def submit(call: Call) -> Reply:
    wanted = call.request.json_object().get("batchDownloadRequestList")
    if not isinstance(wanted, list):
        raise bad_request("batchDownloadRequestList is required.")
    job_id = call.services.batches.submit(call.client_id, [_item(entry) for entry in wanted])
    return Reply.json({"id": job_id, "selfUri": f"/api/v2/recording/batchrequests/{job_id}"})


def poll(call: Call) -> Reply:
    return Reply.json(call.services.batches.status(call.client_id, call.arguments[0]))


def _item(entry: object) -> Item:
    if not isinstance(entry, dict) or not isinstance(entry.get("conversationId"), str):
        raise bad_request("Each item needs a conversationId.")
    recording_id = entry.get("recordingId")
    if recording_id is not None and not isinstance(recording_id, str):
        raise bad_request("recordingId must be a string.")
    return entry["conversationId"], recording_id


def _conversation(call: Call) -> Conversation:
    conversation = call.org.find(call.arguments[0])
    if conversation is None:
        raise not_found(f"the conversation {call.arguments[0]}")
    return conversation


def _entry(call: Call, conversation: Conversation, recording: Recording) -> Payload:
    state = call.org.state(recording)
    base = f"/api/v2/conversations/{conversation.id}/recordings"
    entry: Payload = {
        "id": recording.id,
        "conversationId": conversation.id,
        "media": recording.media,
        "mediaSubtype": recording.subtype,
        "annotations": [],
        "fileState": state,
        "deleteDate": iso(conversation.start_ms + _YEAR_MS),
        "sessionId": recording.session_id,
        "region": "sa-east-1",
        "selfUri": f"{base}/{recording.id}",
    }
    if recording.media == "screen" or call.org.switches.metadata_audio_times:
        entry["startTime"] = iso(conversation.start_ms)
        entry["endTime"] = iso(conversation.start_ms + int(recording.seconds * 1000))
    if state in ("ARCHIVED", "RESTORING"):
        entry |= {"archiveDate": iso(conversation.start_ms), "archiveMedium": "CLOUDARCHIVE"}
    return entry
