"""Recording metadata, the recording settings, links and files."""

from __future__ import annotations

from hashlib import sha256

import pytest

from audio_extract_dagster.simulator import Conversation, Simulator, World
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.simulator.api import TUESDAY, Api, in_state


def metadata(conversation: Conversation) -> str:
    return f"/api/v2/conversations/{conversation.id}/recordingmetadata"


def recorded(truth: list[Conversation]) -> Conversation:
    return in_state([each for each in truth if each.story == "answered"], "AVAILABLE")


def link(api: Api, clock: FakeClock, conversation: Conversation) -> str:
    job = api.submit(conversation.id)
    clock.advance(60)
    return str(api.poll(job)["results"][0]["resultUrl"])


def test_metadata_of_a_recording(api: Api, truth: list[Conversation]) -> None:
    call = recorded(truth)
    (entry,) = api.get(metadata(call)).json()
    assert entry["id"] == call.recordings[0].id
    assert entry["conversationId"] == call.id
    assert (entry["media"], entry["mediaSubtype"], entry["fileState"]) == (
        "audio",
        "Trunk",
        "AVAILABLE",
    )
    customer = call.payload["participants"][0]["sessions"][0]
    assert entry["sessionId"] == customer["sessionId"]
    assert customer["recording"] is True
    assert api.get(f"{metadata(call)}/{entry['id']}").json() == entry
    assert api.get(f"{metadata(call)}/nothing").status_code == 404
    assert "startTime" not in entry


def test_states_screens_and_several_recordings(api: Api, truth: list[Conversation]) -> None:
    for state in ("UPLOADING", "ARCHIVED", "DELETED", "ERROR", "RESTORING"):
        (entry,) = api.get(metadata(in_state(truth, state))).json()
        assert entry["fileState"] == state
    screen = next(each for each in truth if any(r.media == "screen" for r in each.recordings))
    assert [entry["media"] for entry in api.get(metadata(screen)).json()] == ["audio", "screen"]
    three = next(each for each in truth if len(each.recordings) == 3)
    assert len(api.get(metadata(three)).json()) == 3


def test_no_recordings_and_no_conversation(
    simulator: Simulator, api: Api, truth: list[Conversation]
) -> None:
    silent = next(each for each in truth if each.story == "abandoned" and not each.recordings)
    assert api.get(metadata(silent)).json() == []
    simulator.switches.metadata_none = "not_found"
    assert api.get(metadata(silent)).status_code == 404
    assert api.get("/api/v2/conversations/nobody/recordingmetadata").status_code == 404


def test_audio_may_have_times(simulator: Simulator, api: Api, truth: list[Conversation]) -> None:
    simulator.switches.metadata_audio_times = True
    call = recorded(truth)
    (entry,) = api.get(metadata(call)).json()
    assert entry["startTime"] == call.payload["conversationStart"]
    assert entry["startTime"] < entry["endTime"]


def test_the_settings_tell_how_long_links_live(simulator: Simulator, api: Api) -> None:
    assert api.get("/api/v2/recording/settings").json()["recordingBatchDownloadUrlTtl"] == 60
    simulator.switches.link_minutes = 2.5
    assert api.get("/api/v2/recording/settings").json()["recordingBatchDownloadUrlTtl"] == 2.5


def test_a_link_gives_the_file(
    simulator: Simulator, api: Api, clock: FakeClock, world: World, truth: list[Conversation]
) -> None:
    call = recorded(truth)
    job = api.submit(call.id)
    clock.advance(60)
    (entry,) = api.poll(job)["results"]
    reply = api.download(entry["resultUrl"])
    recording = call.recordings[0]
    assert reply.content == world.content(recording, 0)
    assert reply.headers["Content-Length"] == str(len(reply.content))
    assert reply.headers["Content-Type"] == entry["contentType"] == recording.content_type
    assert simulator.counters.downloads == {(call.id, recording.id, 0): 1}
    assert simulator.counters["download"] == 1
    api.download(entry["resultUrl"])
    assert simulator.counters.downloads[call.id, recording.id, 0] == 2


def test_every_file_of_a_day_is_what_it_says_and_unlike_the_others(
    world: World, truth: list[Conversation]
) -> None:
    marks = {"audio/wav": b"RIFF", "audio/x-wav": b"RIFF", "audio/ogg": b"OggS"}
    digests = []
    for each in truth:
        for recording in each.recordings:
            for part in range(recording.parts):
                content = world.content(recording, part)
                kind = recording.content_type.partition(";")[0]
                if recording.media == "audio":
                    assert content.startswith(marks[kind])
                    digests.append(sha256(content).digest())
    assert len(digests) == len(set(digests)) > 40
    types = {r.content_type for each in world.conversations(TUESDAY) for r in each.recordings}
    assert types >= {"audio/ogg", "audio/ogg; codecs=opus", "video/mp4", "application/zip; screen"}


def test_the_token_must_not_go_to_the_storage(
    api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    reply = api.session.get(link(api, clock, recorded(truth)))
    assert reply.status_code == 400
    assert reply.headers["Content-Type"] == "application/xml"
    assert b"<Code>InvalidArgument</Code>" in reply.content


def test_links_expire(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    simulator.switches.link_minutes = 2
    address = link(api, clock, recorded(truth))
    clock.advance(119)
    assert api.download(address).status_code == 200
    clock.advance(1)
    expired = api.download(address)
    assert expired.status_code == 403
    assert b"Request has expired" in expired.content
    assert simulator.counters["download"] == 2
    assert sum(simulator.counters.downloads.values()) == 1


def test_the_real_life_of_a_link_may_be_shorter_than_the_setting(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    simulator.switches.link_seconds = 10
    address = link(api, clock, recorded(truth))
    clock.advance(10)
    assert api.download(address).status_code == 403


@pytest.mark.parametrize("resigned", [False, True])
def test_another_look_at_the_job_may_sign_anew(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation], resigned: bool
) -> None:
    simulator.switches.links_resigned = resigned
    job = api.submit(recorded(truth).id)
    clock.advance(60)
    first = api.poll(job)["results"][0]["resultUrl"]
    clock.advance(3601)
    second = api.poll(job)["results"][0]["resultUrl"]
    assert (first != second) is resigned
    assert api.download(second).status_code == (200 if resigned else 403)


def test_links_cannot_be_made_up(api: Api, clock: FakeClock, truth: list[Conversation]) -> None:
    address = link(api, clock, recorded(truth))
    tampered = api.download(address.replace("X-Amz-Expires=3600", "X-Amz-Expires=999999"))
    assert (tampered.status_code, b"SignatureDoesNotMatch" in tampered.content) == (403, True)
    assert api.download(address.partition("?")[0]).status_code == 403


def test_files_of_a_fixed_size_for_benchmarks(
    simulator: Simulator, api: Api, clock: FakeClock, truth: list[Conversation]
) -> None:
    simulator.switches.update({"audio_bytes": 300_000, "download_latency_ms": 30})
    reply = api.download(link(api, clock, recorded(truth)))
    assert len(reply.content) == 300_000
    assert reply.content.startswith(b"RIFF")
    assert reply.headers["Content-Type"] == "audio/wav"
    assert clock.sleeps == [0.03]


def test_hostile_ids_go_all_the_way(clock: FakeClock) -> None:
    world = World(calls_per_day=120, hostile_ids=True)
    with Simulator(world, clock=clock) as simulator:
        api = Api(simulator.url).log_in()
        listed = {each["conversationId"] for each in api.list_day()}
        hostile = [
            each
            for each in world.conversations(TUESDAY)
            if each.end_ms
            and each.story != "chat"
            and (len(each.id) != 36 or any(len(r.id) != 36 for r in each.recordings))
        ]
        assert len(hostile) > 10
        assert {each.id for each in hostile} <= listed
        job = api.submit(*[each.id for each in hostile])
        clock.advance(60)
        links = [entry["resultUrl"] for entry in api.poll(job)["results"] if "resultUrl" in entry]
        assert len(links) > 5
        assert {api.download(address).status_code for address in links} == {200}


def test_queues_and_users(api: Api, world: World) -> None:
    queues = api.get("/api/v2/routing/queues").json()
    assert [entity["id"] for entity in queues["entities"]] == list(world.queue_ids)
    assert (queues["total"], queues["pageCount"]) == (3, 1)
    assert "nextUri" not in queues
    first = api.get("/api/v2/routing/queues", params={"pageSize": 2}).json()
    rest = api.get(first["nextUri"]).json()
    assert [len(first["entities"]), len(rest["entities"])] == [2, 1]
    one = api.get(f"/api/v2/routing/queues/{world.queue_ids[0]}").json()
    assert one["name"] == world.queues[0].name
    assert api.get("/api/v2/routing/queues/nothing").status_code == 404
    assert api.get("/api/v2/users", params={"pageSize": 100}).json()["total"] == len(world.users)
    user_id, name = world.users[0]
    assert api.get(f"/api/v2/users/{user_id}").json()["name"] == name
    assert api.get("/api/v2/users/nobody").status_code == 404
    assert api.get("/api/v2/users", params={"pageSize": "many"}).status_code == 400


def test_limits(api: Api) -> None:
    limits = api.get("/api/v2/organizations/limits/namespaces/platform.api").json()["limits"]
    values = {limit["key"]: limit["value"] for limit in limits}
    assert values["client.credentials.token.rate.per.minute"] == 100_000
    assert api.get("/api/v2/organizations/limits/namespaces/recording").json()["limits"] == []
