"""A client of few words for the simulator, and the day that the tests look at."""

from __future__ import annotations

from datetime import date
from typing import Any

import requests

from audio_extract_dagster.simulator import Conversation
from audio_extract_dagster_tests.fake_clock import FakeClock

DAY = "2026-03-10T05:00:00.000Z/2026-03-11T05:00:00.000Z"
"""The interval of Tuesday 10 March 2026 in Lima."""

TUESDAY = date(2026, 3, 10)

QUERY = "/api/v2/analytics/conversations/details/query"
BATCHES = "/api/v2/recording/batchrequests"
VOICE = {"type": "and", "predicates": [{"dimension": "mediaType", "value": "voice"}]}


class Api:
    """Requests with a token of `client_id`."""

    def __init__(self, url: str, client_id: str = "client", secret: str = "secret") -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.client = (client_id, secret)

    def log_in(self) -> Api:
        reply = self.session.post(
            f"{self.url}/oauth/token",
            auth=self.client,
            data={"grant_type": "client_credentials"},
        )
        self.session.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
        return self

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.url + path, **options)

    def post(self, path: str, body: Any) -> requests.Response:
        return self.session.post(self.url + path, json=body)

    def query(self, page: int = 1, size: int = 100, **body: Any) -> requests.Response:
        """The voice conversations of the day, unless told otherwise."""
        paging = {"pageSize": size, "pageNumber": page}
        defaults = {"interval": DAY, "segmentFilters": [VOICE], "paging": paging}
        return self.post(QUERY, defaults | body)

    def list_day(self, size: int = 100, **body: Any) -> list[dict[str, Any]]:
        """Every conversation of the query, page by page until an empty one."""
        found: list[dict[str, Any]] = []
        page = 1
        while shown := self.query(page, size, **body).json().get("conversations"):
            found += shown
            page += 1
        return found

    def submit(self, *items: Any) -> str:
        """A batch of conversation ids or (conversation id, recording id) pairs; its job id."""
        wanted = [
            {"conversationId": item}
            if isinstance(item, str)
            else {"conversationId": item[0], "recordingId": item[1]}
            for item in items
        ]
        reply = self.post(BATCHES, {"batchDownloadRequestList": wanted})
        assert reply.status_code == 200, reply.text
        return str(reply.json()["id"])

    def poll(self, job_id: str) -> dict[str, Any]:
        reply = self.get(f"{BATCHES}/{job_id}")
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def download(self, link: str) -> requests.Response:
        """Without the token, as it must be."""
        return self.session.get(link, headers={"Authorization": None})


def in_state(truth: list[Conversation], state: str) -> Conversation:
    """A finished conversation whose only recording is in this state."""
    return next(
        each
        for each in truth
        if each.end_ms and [recording.state for recording in each.recordings] == [state]
    )


def result(api: Api, clock: FakeClock, *items: Any) -> dict[str, Any]:
    """The job of these items when its time is over."""
    job = api.submit(*items)
    clock.advance(60)
    return api.poll(job)


def plain(truth: list[Conversation], count: int) -> list[Conversation]:
    """Finished calls with one available recording in one file."""
    return [
        each
        for each in truth
        if each.end_ms
        and each.story == "answered"
        and [(r.state, r.parts, r.sensitive) for r in each.recordings] == [("AVAILABLE", 1, False)]
    ][:count]
