"""The vendor's own client works against the simulator: what we imitate is what it expects."""

from __future__ import annotations

import warnings
from datetime import date
from types import ModuleType
from typing import Any

import pytest

from audio_extract_dagster.simulator import Simulator, World
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.simulator.api import DAY, Api


@pytest.fixture(scope="module")
def sdk() -> ModuleType:
    """Imported late: it is large, and its modules warn about themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: ModuleType = pytest.importorskip("PureCloudPlatformClientV2")
    return found


@pytest.mark.filterwarnings("ignore")
def test_a_day_through_the_vendors_client(
    sdk: Any, simulator: Simulator, clock: FakeClock, world: World
) -> None:
    sdk.configuration.host = simulator.url
    client = sdk.api_client.ApiClient().get_client_credentials_token("client", "secret")
    assert sdk.OrganizationApi(client).get_organizations_me().name == "Simulated contact centre"
    assert sdk.TokensApi(client).get_tokens_me().o_auth_client.id == "client"

    body = sdk.ConversationQuery()
    body.interval = DAY
    body.order, body.order_by = "asc", "conversationStart"
    body.segment_filters = [voice_of(sdk, world.queue_ids)]
    found = []
    for number in range(1, 10):
        body.paging = sdk.PagingSpec()
        body.paging.page_size, body.paging.page_number = 20, number
        page = sdk.ConversationsApi(client).post_analytics_conversations_details_query(body)
        if not page.conversations:
            break
        found += page.conversations
    truth = {each.id: each for each in world.conversations(date(2026, 3, 10))}
    assert len(found) == page.total_hits
    ids = {each.conversation_id for each in found}
    assert {key for key, each in truth.items() if each.story == "answered"} <= ids
    assert {p.purpose for each in found for p in each.participants} >= {"customer", "agent", "acd"}

    recordings = sdk.RecordingApi(client)
    assert recordings.get_recording_settings().recording_batch_download_url_ttl == 60
    call = next(e for e in truth.values() if e.story == "answered" and len(e.recordings) == 2)
    metadata = recordings.get_conversation_recordingmetadata(call.id)
    assert {entry.id for entry in metadata} == {recording.id for recording in call.recordings}
    assert {entry.file_state for entry in metadata} == {"AVAILABLE"}

    submission = sdk.BatchDownloadJobSubmission()
    request = sdk.BatchDownloadRequest()
    request.conversation_id = call.id
    submission.batch_download_request_list = [request]
    job = recordings.post_recording_batchrequests(submission)
    assert recordings.get_recording_batchrequest(job.id).status == "InProgress"
    clock.advance(60)
    done = recordings.get_recording_batchrequest(job.id)
    assert (done.status, done.result_count, done.error_count) == ("Completed", 2, 0)
    anonymous = Api(simulator.url)
    for result in done.results:
        assert anonymous.download(result.result_url).status_code == 200

    queues = sdk.RoutingApi(client).get_routing_queues()
    assert [queue.id for queue in queues.entities] == list(world.queue_ids)
    assert sdk.UsersApi(client).get_users().total == len(world.users)


def voice_of(sdk: Any, queue_ids: tuple[str, ...]) -> Any:
    """A filter for voice in any of the queues, with a clause."""
    media = sdk.SegmentDetailQueryPredicate()
    media.dimension, media.value = "mediaType", "voice"
    clause = sdk.SegmentDetailQueryClause()
    clause.type, clause.predicates = "or", []
    for queue_id in queue_ids:
        queue = sdk.SegmentDetailQueryPredicate()
        queue.dimension, queue.value = "queueId", queue_id
        clause.predicates.append(queue)
    found = sdk.SegmentDetailQueryFilter()
    found.type, found.predicates, found.clauses = "and", [media], [clause]
    return found
