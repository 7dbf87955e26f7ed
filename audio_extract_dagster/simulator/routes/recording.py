"""Recording metadata, the recording settings and batch download jobs."""

from __future__ import annotations

from audio_extract_dagster.simulator.batches import Item
from audio_extract_dagster.simulator.messages import Reply, bad_request, not_found
from audio_extract_dagster.simulator.model import Conversation, Payload, Recording, iso
from audio_extract_dagster.simulator.routed_request import RoutedRequest

_YEAR_MS = 365 * 86_400_000


def metadata(routed: RoutedRequest) -> Reply:
    conversation = _conversation(routed)
    found = routed.org.recordings(conversation)
    if not found and routed.org.switches.metadata_none == "not_found":
        raise not_found(f"recordings of the conversation {conversation.id}")
    return Reply.json([_entry(routed, conversation, recording) for recording in found])


def metadata_of_one(routed: RoutedRequest) -> Reply:
    conversation = _conversation(routed)
    for recording in routed.org.recordings(conversation):
        if recording.id == routed.arguments[1]:
            return Reply.json(_entry(routed, conversation, recording))
    raise not_found(f"the recording {routed.arguments[1]}")


def settings(routed: RoutedRequest) -> Reply:
    minutes = routed.org.switches.link_minutes
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


def submit(routed: RoutedRequest) -> Reply:
    wanted = routed.request.json_object().get("batchDownloadRequestList")
    if not isinstance(wanted, list):
        raise bad_request("batchDownloadRequestList is required.")
    job_id = routed.services.batches.submit(routed.client_id, [_item(entry) for entry in wanted])
    return Reply.json({"id": job_id, "selfUri": f"/api/v2/recording/batchrequests/{job_id}"})


def poll(routed: RoutedRequest) -> Reply:
    return Reply.json(routed.services.batches.status(routed.client_id, routed.arguments[0]))


def _item(entry: object) -> Item:
    if not isinstance(entry, dict) or not isinstance(entry.get("conversationId"), str):
        raise bad_request("Each item needs a conversationId.")
    recording_id = entry.get("recordingId")
    if recording_id is not None and not isinstance(recording_id, str):
        raise bad_request("recordingId must be a string.")
    return entry["conversationId"], recording_id


def _conversation(routed: RoutedRequest) -> Conversation:
    conversation = routed.org.find(routed.arguments[0])
    if conversation is None:
        raise not_found(f"the conversation {routed.arguments[0]}")
    return conversation


def _entry(routed: RoutedRequest, conversation: Conversation, recording: Recording) -> Payload:
    state = routed.org.state(recording)
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
    if recording.media == "screen" or routed.org.switches.metadata_audio_times:
        entry["startTime"] = iso(conversation.start_ms)
        entry["endTime"] = iso(conversation.start_ms + int(recording.seconds * 1000))
    if state in ("ARCHIVED", "RESTORING"):
        entry |= {"archiveDate": iso(conversation.start_ms), "archiveMedium": "CLOUDARCHIVE"}
    return entry
