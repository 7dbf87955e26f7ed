"""How long links are taken to live, whatever Genesys says of it, or does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audio_extract_dagster.genesys import GenesysClient, LoginRefused, RateLimited
from audio_extract_dagster_tests.genesys.scripted_server import RESET, Answer, ScriptedServer

SETTINGS = "/api/v2/recording/settings"


@pytest.mark.parametrize(
    ("answer", "lifetime"),
    [
        (Answer(200, {"recordingBatchDownloadUrlTtl": 60}), timedelta(minutes=60)),
        (Answer(200, {"recordingBatchDownloadUrlTtl": 5}), timedelta(minutes=5)),
        (Answer(200, {"recordingBatchDownloadUrlTtl": 2.5}), timedelta(seconds=150)),
        # No organization can be set to that, and it would mean two looks a second.
        (Answer(200, {"recordingBatchDownloadUrlTtl": 0.01}), timedelta(minutes=2)),
        (Answer(200, {"recordingBatchDownloadUrlTtl": 1e14}), timedelta(minutes=60)),
        (Answer(200, {"recordingBatchDownloadUrlTtl": None}), timedelta(minutes=2)),
        (Answer(200, {"recordingBatchDownloadUrlTtl": True}), timedelta(minutes=2)),
        (Answer(200, {"recordingBatchDownloadUrlTtl": -1}), timedelta(minutes=2)),
        (Answer(200, {}), timedelta(minutes=2)),
        (Answer(200, b"<html>"), timedelta(minutes=2)),
        (Answer(403, {"code": "missing.permissions"}), timedelta(minutes=2)),
        (Answer(404), timedelta(minutes=2)),
        (Answer(500), timedelta(minutes=2)),
        (RESET, timedelta(minutes=2)),
    ],
)
def test_it_is_the_shortest_unless_it_is_said(
    client: GenesysClient, server: ScriptedServer, answer: Answer, lifetime: timedelta
) -> None:
    server.script(SETTINGS, answer)

    assert client.link_lifetime() == lifetime


@pytest.mark.parametrize(
    ("path", "answer", "error"),
    [
        ("/oauth/token", Answer(401), LoginRefused),
        (SETTINGS, Answer(401), LoginRefused),
        (SETTINGS, Answer(429, headers={"Retry-After": "7200"}), RateLimited),
    ],
)
def test_it_hides_nothing_that_ends_every_call(
    client: GenesysClient, server: ScriptedServer, path: str, answer: Answer, error: type[Exception]
) -> None:
    server.script(path, answer)

    with pytest.raises(error):
        client.link_lifetime()
