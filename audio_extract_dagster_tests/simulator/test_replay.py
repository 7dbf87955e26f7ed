"""Replay: real payloads and real files from a folder."""

from __future__ import annotations

import json
import logging
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from audio_extract_dagster.simulator import NothingToReplay, Replay, Simulator
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.simulator.api import Api

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"


def conversation(
    number: int, hour: int, *, media: str = "voice", recording: bool = True
) -> dict[str, Any]:
    session: dict[str, Any] = {
        "sessionId": f"s{number}",
        "mediaType": media,
        "recording": recording or None,
        "segments": [
            {
                "segmentStart": f"2024-02-16T{hour}:00:00.000Z",
                "segmentEnd": f"2024-02-16T{hour}:05:00.000Z",
                "segmentType": "interact",
                "queueId": "q2" if number == 2 else "q1",
            }
        ],
    }
    return {
        "conversationId": f"c{number}",
        "conversationStart": f"2024-02-16T{hour}:00:00.000Z",
        "conversationEnd": f"2024-02-16T{hour}:05:00.000Z",
        "originatingDirection": "inbound",
        "participants": [
            {"purpose": "customer", "sessions": [session]},
            {"purpose": "agent", "userId": "u1", "sessions": [session | {"recording": None}]},
        ],
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four calls, one of them not recorded, a chat, three files and things that are neither."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    page = [conversation(1, 18), conversation(2, 15), conversation(3, 16, recording=False)]
    (tmp_path / "page.json").write_text(json.dumps({"conversations": page, "totalHits": 3}))
    (tmp_path / "deep" / "one.json").write_text(json.dumps(conversation(4, 17)))
    (tmp_path / "deep" / "chat.JSON").write_text(json.dumps(conversation(5, 19, media="chat")))
    (tmp_path / "other.json").write_text('{"name": "not a conversation"}')
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "deep" / "a.wav").write_bytes(b"RIFF-a")
    (tmp_path / "b.ogg").write_bytes(b"OggS-b")
    (tmp_path / "deep" / "er" / "c.mp3").write_bytes(b"ID3-c")
    return tmp_path


def test_files_are_dealt_out_by_start_and_name(folder: Path) -> None:
    day = Replay(folder).conversations(date(2024, 2, 16))
    assert [each.id for each in day] == ["c2", "c3", "c4", "c1", "c5"]
    dealt = [[Path(str(r.path)).name for r in each.recordings] for each in day]
    assert dealt == [["a.wav"], [], ["b.ogg"], ["c.mp3"], []]
    assert [each.has_agent for each in day] == [True, True, True, True, False]


def test_more_calls_than_files_go_round(folder: Path) -> None:
    (folder / "b.ogg").unlink()
    (folder / "deep" / "er" / "c.mp3").unlink()
    recordings = [
        r for each in Replay(folder).conversations(date(2024, 2, 16)) for r in each.recordings
    ]
    assert [Path(str(recording.path)).name for recording in recordings] == ["a.wav"] * 3
    assert len({recording.id for recording in recordings}) == 3
    assert recordings[0].id == Replay(folder).conversations(date(2024, 2, 16))[0].recordings[0].id


def test_queues_and_users_come_from_the_payloads(folder: Path) -> None:
    replay = Replay(folder)
    assert replay.queue_ids == ("q1", "q2")
    assert replay.users == (("u1", "Agent 01"),)


def test_it_is_served_like_any_org(folder: Path, clock: FakeClock) -> None:
    interval = "2024-02-16T05:00:00.000Z/2024-02-17T05:00:00.000Z"
    with Simulator(Replay(folder), clock=clock) as simulator:
        api = Api(simulator.url).log_in()
        calls = api.list_day(interval=interval)
        assert [each["conversationId"] for each in calls] == ["c2", "c3", "c4", "c1"]
        assert "null" not in json.dumps(calls)
        assert len(api.list_day(interval=interval, segmentFilters=None)) == 5
        job = api.submit("c1", "c2", "c3", "c4")
        clock.advance(60)
        results = {entry["conversationId"]: entry for entry in api.poll(job)["results"]}
        assert results.keys() == {"c1", "c2", "c4"}
        assert results["c1"]["contentType"] == "audio/mpeg"
        files = {key: api.download(entry["resultUrl"]).content for key, entry in results.items()}
        assert files == {"c1": b"ID3-c", "c2": b"RIFF-a", "c4": b"OggS-b"}


def test_what_is_left_out_is_logged(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="audio_extract_dagster.simulator.replay"):
        Replay(folder)
    assert {"other.json", "broken.json"} == {
        Path(str(record.args[0])).name
        for record in caplog.records
        if isinstance(record.args, tuple)
    }


def test_nothing_to_replay(tmp_path: Path) -> None:
    with pytest.raises(NothingToReplay, match="no conversation"):
        Replay(tmp_path)
    (tmp_path / "one.json").write_text(json.dumps(conversation(1, 15)))
    with pytest.raises(NothingToReplay, match="no audio file"):
        Replay(tmp_path)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not on this machine")
def test_real_input(clock: FakeClock) -> None:
    replay = Replay(SAMPLES)
    with Simulator(replay, clock=clock) as simulator:
        api = Api(simulator.url).log_in()
        for day, calls in (("2024-02-05", 1), ("2024-02-11", 1), ("2024-02-16", 8)):
            local = date.fromisoformat(day)
            start, end = (
                f"{day}T00:00:00-05:00",
                f"{local.replace(day=local.day + 1)}T00:00:00-05:00",
            )
            listed = [each["conversationId"] for each in api.list_day(interval=f"{start}/{end}")]
            assert len(listed) == calls
            job = api.submit(*listed)
            clock.advance(60)
            results = api.poll(job)["results"]
            assert len(results) == calls
            on_disk = {path.read_bytes() for path in SAMPLES.rglob("*.wav")}
            assert {api.download(entry["resultUrl"]).content for entry in results} <= on_disk
