"""The conversation details query: which conversations, in which pages."""

from __future__ import annotations

from datetime import date, datetime, timezone
from itertools import pairwise
from typing import Any

import pytest

from audio_extract_dagster.simulator import Conversation, Simulator, World
from audio_extract_dagster.simulator.model import milliseconds
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.simulator.api import DAY, QUERY, TUESDAY, VOICE, Api

MONDAY = date(2026, 3, 9)
START = milliseconds(datetime(2026, 3, 10, 5, tzinfo=timezone.utc))


def ids(conversations: list[dict[str, object]]) -> list[object]:
    return [each["conversationId"] for each in conversations]


def test_a_day_is_its_calls_and_what_ran_into_it(
    api: Api, world: World, truth: list[Conversation]
) -> None:
    found = api.list_day()
    calls = {each.id for each in truth if each.story != "chat"}
    before = {
        each.id
        for each in world.conversations(MONDAY)
        if each.start.astimezone(timezone.utc).date() == TUESDAY
        and (each.end_ms is None or each.end_ms >= START)
    }
    assert set(ids(found)) == calls | before
    assert len(found) == len(set(ids(found)))
    assert any(each.story == "crosses_midnight" for each in world.conversations(MONDAY))
    assert before
    starts = [each["conversationStart"] for each in found]
    assert starts == sorted(starts)


def test_a_page_is_the_whole_payload(api: Api, truth: list[Conversation]) -> None:
    by_id = {each["conversationId"]: each for each in api.list_day()}
    finished = [each for each in truth if each.story == "transfer" and each.end_ms]
    assert finished
    assert all(by_id[each.id] == each.payload for each in finished)


def test_a_whole_utc_day_if_the_platform_does_that(
    simulator: Simulator, api: Api, world: World
) -> None:
    fewer = len(api.list_day())
    simulator.switches.whole_utc_day = True
    more = api.list_day()
    assert len(more) > fewer
    assert min(each["conversationStart"] for each in more) >= "2026-03-10T00:00:00.000Z"


def test_chats_come_when_the_filter_lets_them(api: Api) -> None:
    everything = api.list_day(segmentFilters=None)
    media = {
        session["mediaType"]
        for each in everything
        for participant in each["participants"]
        for session in participant["sessions"]
    }
    assert "chat" in media
    assert len(everything) > len(api.list_day())


def test_what_has_not_begun_is_not_there(api: Api, clock: FakeClock) -> None:
    today = "2026-03-11T05:00:00.000Z/2026-03-12T05:00:00.000Z"
    early = api.list_day(interval=today)
    clock.advance(8 * 3600)
    later = api.list_day(interval=today)
    assert len(early) < len(later)
    assert all(each["conversationStart"] <= "2026-03-11T19:00:00.000Z" for each in later)
    assert any("conversationEnd" not in each for each in later)


def test_open_conversations_have_no_end(api: Api, truth: list[Conversation]) -> None:
    unfinished = {
        each["conversationId"] for each in api.list_day() if "conversationEnd" not in each
    }
    assert {each.id for each in truth if each.story in ("open", "stuck")} <= unfinished


def test_pages_tell_the_total_and_end_without_the_key(api: Api) -> None:
    whole = ids(api.list_day())
    first = api.query(1, 25).json()
    assert first["totalHits"] == len(whole)
    assert ids(first["conversations"]) == whole[:25]
    assert ids(api.query(2, 25).json()["conversations"]) == whole[25:50]
    assert api.query(9, 25).json() == {"totalHits": len(whole)}


def test_the_default_page_has_25(api: Api) -> None:
    reply = api.post(QUERY, {"interval": DAY}).json()
    assert len(reply["conversations"]) == 25


def test_descending_and_by_end(api: Api) -> None:
    assert ids(api.list_day(order="desc")) == ids(api.list_day())[::-1]
    ends = [each.get("conversationEnd", "9") for each in api.list_day(orderBy="conversationEnd")]
    closed = [end for end in ends if end < "2026-03-11T11"]
    assert closed == sorted(closed)


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"interval": None}, "search interval"),
        ({"interval": "yesterday"}, "not valid"),
        ({"interval": "2026-03-10T05:00Z/2026-03-32T05:00Z"}, "not a valid date-time"),
        ({"interval": "2026-03-11T05:00:00Z/2026-03-10T05:00:00Z"}, "after its start"),
        ({"interval": "2026-01-01T00:00:00Z/2026-02-02T00:00:00Z"}, "does not exceed 31 days"),
        ({"paging": {"pageSize": 101, "pageNumber": 1}}, "page size"),
        ({"paging": {"pageSize": 100, "pageNumber": 0}}, "page size"),
        ({"paging": {"pageSize": 100}}, "pageSize and pageNumber"),
        ({"paging": {"pageSize": 100, "pageNumber": 1001}}, "Pagination may not exceed 100000"),
        ({"order": "sideways"}, "order"),
        ({"segmentFilters": [{"type": "and"}]}, "predicates"),
        ({"segmentFilters": {"type": "and"}}, "must be a list"),
    ],
)
def test_what_is_refused(api: Api, body: dict[str, Any], part: str) -> None:
    reply = api.query(**body)
    assert reply.status_code == 400
    assert part in reply.json()["message"]
    assert reply.json()["status"] == 400


def test_intervals_with_an_offset_or_none(api: Api) -> None:
    local = api.list_day(interval="2026-03-10T00:00:00-05:00/2026-03-11T00:00:00-05:00")
    bare = api.list_day(interval="2026-03-10T05:00:00/2026-03-11T05:00:00")
    assert ids(local) == ids(bare) == ids(api.list_day())


def test_a_body_that_is_no_json_object(api: Api) -> None:
    assert api.post(QUERY, [1]).status_code == 400
    as_text = {"Content-Type": "text/plain"}
    reply = api.session.post(api.url + QUERY, data="{}", headers=as_text)
    assert (reply.status_code, reply.json()["code"]) == (415, "unsupported.media.type")
    as_json = {"Content-Type": "application/json; charset=utf-8"}
    assert api.session.post(api.url + QUERY, data="{", headers=as_json).status_code == 400
    huge = api.post(QUERY, {"interval": DAY, "note": "x" * 512_000})
    assert huge.status_code == 413


@pytest.mark.parametrize(
    ("switch", "value", "expected"),
    [
        ("empty_conversations", "missing", {"totalHits": 0}),
        ("empty_conversations", "null", {"totalHits": 0, "conversations": None}),
        ("empty_conversations", "list", {"totalHits": 0, "conversations": []}),
        ("empty_total_hits", "missing", {}),
    ],
)
def test_empty_days(
    simulator: Simulator, api: Api, switch: str, value: str, expected: dict[str, object]
) -> None:
    simulator.switches.set(switch, value)
    nobody = [{"type": "or", "predicates": [{"dimension": "queueId", "value": "nobody"}]}]
    assert api.query(segmentFilters=nobody).json() == expected


def test_items_that_move_between_pages(simulator: Simulator, api: Api) -> None:
    whole = ids(api.list_day(20))
    simulator.switches.update({"paging_anomaly": "repeat", "anomaly_passes": 2})
    repeated = ids(api.list_day(20))
    assert len(repeated) > len(set(repeated))
    assert set(repeated) == set(whole)
    assert ids(api.list_day(20)) == whole  # the third listing is a good one
    simulator.switches.update({"paging_anomaly": "skip", "anomaly_passes": 4})
    assert set(ids(api.list_day(20))) < set(whole)
    assert ids(api.list_day(20)) == whole


def test_totals_that_are_wrong_or_move(simulator: Simulator, api: Api) -> None:
    total = api.query().json()["totalHits"]
    simulator.switches.update({"total_hits_offset": 5, "total_hits_drift": 3, "anomaly_passes": 9})
    assert [api.query(page, 20).json()["totalHits"] - total for page in (1, 2, 3)] == [5, 8, 11]


def test_smaller_pages_and_a_lower_limit(simulator: Simulator, api: Api) -> None:
    whole = ids(api.list_day())
    simulator.switches.served_page_size = 7
    assert len(api.query(1, 100).json()["conversations"]) == 7
    assert ids(api.list_day()) == whole
    simulator.switches.paging_limit = 150
    assert api.query(2, 100).status_code == 400


def test_a_later_version_of_the_api(simulator: Simulator, api: Api) -> None:
    simulator.switches.future_fields = True
    first = api.list_day()[0]
    assert first["sentimentOfTheRoom"]
    assert first["participants"][-1]["purpose"] == "hologram"


def test_one_and_several_conversations(api: Api, truth: list[Conversation]) -> None:
    one = next(each for each in truth if each.story == "conference")
    two = next(each for each in truth if each.story == "consult")
    path = "/api/v2/analytics/conversations"
    assert api.get(f"{path}/{one.id}/details").json() == one.payload
    both = api.get(f"{path}/details", params={"id": f"{one.id},nobody,{two.id}"}).json()
    assert ids(both["conversations"]) == [one.id, two.id]
    unknown = api.get(f"{path}/nobody/details")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not.found")
    assert api.get(f"{path}/details").status_code == 400


def test_more_than_can_be_paged_through(clock: FakeClock) -> None:
    world = World(calls_per_day=40, flood_per_day=700)
    with Simulator(world, clock=clock) as simulator:
        simulator.switches.paging_limit = 500
        api = Api(simulator.url).log_in()
        assert api.query().json()["totalHits"] > 500
        assert api.query(6, 100).status_code == 400
        cut = "2026-03-10T05:00:00Z 2026-03-10T16:00:00Z 2026-03-10T19:00:00Z 2026-03-11T05:00:00Z"
        moments = cut.split()
        pieces = [
            set(ids(api.list_day(interval=f"{start}/{end}", segmentFilters=[VOICE])))
            for start, end in pairwise(moments)
        ]
        everything = {each.id for each in world.conversations(TUESDAY) if each.story != "chat"}
        assert everything <= set().union(*pieces)
