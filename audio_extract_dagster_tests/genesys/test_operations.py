"""What each operation sends, and what it makes of the usual answers."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from audio_extract_dagster.genesys import (
    BatchResult,
    GenesysClient,
    NotFound,
    NotPermitted,
    RecordingMetadata,
)
from audio_extract_dagster_tests.genesys.scripted_server import Answer, ScriptedServer

QUERY = "/api/v2/analytics/conversations/details/query"
BATCHES = "/api/v2/recording/batchrequests"
NOT_FOUND = Answer(404, {"code": "not.found", "status": 404})
LIMA = timezone(timedelta(hours=-5))
START = datetime(2026, 3, 10, tzinfo=LIMA)
END = datetime(2026, 3, 11, tzinfo=LIMA)


def test_a_query_asks_for_voice_of_the_queues_in_utc(
    client: GenesysClient, server: ScriptedServer
) -> None:
    server.script(QUERY, Answer(200, {"totalHits": 0}))

    page = client.query_conversations(START, END, ["queue-1", "queue-2"], 3)

    assert (page.conversations, page.total_hits, page.unreadable) == ([], 0, 0)
    request = server.received[-1]
    assert request.headers["authorization"] == "Bearer token-1"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {
        "interval": "2026-03-10T05:00:00.000Z/2026-03-11T05:00:00.000Z",
        "order": "asc",
        "orderBy": "conversationStart",
        "paging": {"pageSize": 100, "pageNumber": 3},
        "segmentFilters": [
            {
                "type": "and",
                "predicates": [
                    {
                        "type": "dimension",
                        "dimension": "mediaType",
                        "operator": "matches",
                        "value": "voice",
                    }
                ],
            },
            {
                "type": "or",
                "predicates": [
                    {
                        "type": "dimension",
                        "dimension": "queueId",
                        "operator": "matches",
                        "value": queue,
                    }
                    for queue in ("queue-1", "queue-2")
                ],
            },
        ],
    }


def test_a_query_without_queues_asks_for_all_of_them(
    client: GenesysClient, server: ScriptedServer
) -> None:
    server.script(QUERY, Answer(200, {"totalHits": 0}))

    client.query_conversations(START, END, (), 1)

    assert b"queueId" not in server.received[-1].body


def test_an_interval_without_a_time_zone_is_not_sent(
    client: GenesysClient, server: ScriptedServer
) -> None:
    with pytest.raises(ValueError, match="time zone"):
        client.query_conversations(datetime(2026, 3, 10), END, (), 1)  # noqa: DTZ001 - the point
    assert server.received == []


@pytest.mark.parametrize("answer", [Answer(200, []), Answer(200, None), NOT_FOUND])
def test_no_recordings_however_it_is_said(
    client: GenesysClient, server: ScriptedServer, answer: Answer
) -> None:
    server.script("/api/v2/conversations/c-1/recordingmetadata", answer)

    assert client.recording_metadata("c-1") == []


def test_recording_metadata(client: GenesysClient, server: ScriptedServer) -> None:
    entry = {"id": "r-1", "media": "audio", "mediaSubtype": "Trunk", "fileState": "AVAILABLE"}
    server.script("/api/v2/conversations/c-1/recordingmetadata", Answer(200, [entry, "?"]))

    assert client.recording_metadata("c-1") == [
        RecordingMetadata("r-1", "audio", "AVAILABLE"),
        RecordingMetadata(),
    ]


def test_a_batch_is_ordered_by_conversation_id(
    client: GenesysClient, server: ScriptedServer
) -> None:
    server.script(BATCHES, Answer(200, {"id": "job-1"}))

    assert client.submit_batch(["c-1", "c-2"]) == "job-1"
    assert json.loads(server.received[-1].body) == {
        "batchDownloadRequestList": [{"conversationId": "c-1"}, {"conversationId": "c-2"}]
    }


@pytest.mark.parametrize("size", [0, 101])
def test_a_batch_that_genesys_would_refuse_is_not_sent(
    client: GenesysClient, server: ScriptedServer, size: int
) -> None:
    with pytest.raises(ValueError, match="1 to 100"):
        client.submit_batch(["c"] * size)
    assert server.received == []


def test_the_status_of_a_batch(client: GenesysClient, server: ScriptedServer) -> None:
    link = "https://storage.example/1.ogg?X-Amz-Signature=abc"
    results = [
        {"conversationId": "c-1", "recordingId": "r-1", "resultUrl": link, "contentType": "a/ogg"},
        {"conversationId": "c-2", "errorMsg": "Recording is archived"},
    ]
    body = {"jobId": "j", "expectedResultCount": 2, "resultCount": 2, "errorCount": 1}
    server.script(f"{BATCHES}/job-1", Answer(200, body | {"results": results}))

    status = client.batch_status("job-1")

    assert (status.status, status.finished) == (None, True)
    assert (status.expected_count, status.result_count, status.error_count) == (2, 2, 1)
    assert status.results == [
        BatchResult("c-1", "r-1", link, "a/ogg", None),
        BatchResult("c-2", None, None, None, "Recording is archived"),
    ]


def test_a_batch_that_is_over_or_somebody_elses(client: GenesysClient) -> None:
    with pytest.raises(NotFound, match="GET /api/v2/recording/batchrequests/job-9"):
        client.batch_status("job-9")


def test_names(client: GenesysClient, server: ScriptedServer) -> None:
    server.script("/api/v2/organizations/me", Answer(200, {"name": "Example"}))
    server.script("/api/v2/routing/queues/q-1", Answer(200, {"name": "Support"}))

    assert client.organization_name() == "Example"
    assert client.queue_name("q-1") == "Support"
    assert client.queue_name("q-2") is None


def test_probes_of_permissions(client: GenesysClient, server: ScriptedServer) -> None:
    server.script(QUERY, Answer(200, {"totalHits": 0}))
    client.check_analytics_permission()
    client.check_recording_permission()

    text = (
        "Unable to perform the requested action. You must have at least one of the following "
        "permissions assigned: [recording:recording:view, recording:recordingSegment:view]"
    )
    forbidden = Answer(403, {"message": text, "code": "missing.any.permissions", "status": 403})
    server.script(QUERY, forbidden)
    server.script(server.received[-1].path, forbidden)

    with pytest.raises(NotPermitted):
        client.check_analytics_permission()
    with pytest.raises(NotPermitted, match="any of recording:recording:view") as caught:
        client.check_recording_permission()
    assert caught.value.permissions == (
        "recording:recording:view",
        "recording:recordingSegment:view",
    )
    assert {request.method for request in server.received if "metadata" in request.path} == {"GET"}


@pytest.mark.parametrize(
    "hostile", ["../../oauth/token", "a/b", "a?b=c#d", "%2e%2e", "\x00\ud800", "ñ" * 300]
)
def test_an_id_stays_one_piece_of_its_path(
    client: GenesysClient, server: ScriptedServer, hostile: str
) -> None:
    assert client.recording_metadata(hostile) == []

    path = server.received[-1].path
    assert path.startswith("/api/v2/conversations/")
    assert path.endswith("/recordingmetadata")
    assert path.count("/") == 5


@pytest.mark.parametrize("nothing", ["", ".", ".."])
def test_what_cannot_be_an_id_is_not_asked_for(
    client: GenesysClient, server: ScriptedServer, nothing: str
) -> None:
    assert client.recording_metadata(nothing) == []
    with pytest.raises(NotFound, match="not an id"):
        client.batch_status(nothing)
    assert server.received == []


def test_usage_counts_requests_by_operation(client: GenesysClient, server: ScriptedServer) -> None:
    before = client.usage
    server.script(BATCHES, Answer(200, {"id": "job-1"}))

    client.submit_batch(["c-1"])
    client.recording_metadata("c-1")
    client.recording_metadata("c-2")

    assert before.total == 0
    assert client.usage.requests == {"token": 1, "batch_submit": 1, "metadata": 2}
    assert client.usage.total == 4
