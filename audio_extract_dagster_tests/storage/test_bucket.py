"""What only a bucket can do wrong, against a server that answers what Google would."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from audio_extract_dagster.storage import (
    AudioStorage,
    StorageRefused,
    StorageUnavailable,
    UnknownStorage,
    open_storage,
)

if TYPE_CHECKING:
    from audio_extract_dagster.storage.bucket import BucketStorage

ALL = ["create", "delete", "get", "list"]


class Answers:
    """The status and JSON that every request gets."""

    status: int = 200
    content: object = {}


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    pytest.importorskip("google.cloud.storage")
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.dumps(answers.content).encode()
            self.send_response(answers.status)
            # Where an upload in several pieces goes on.
            self.send_header("Location", f"http://{self.headers['Host']}/upload")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - names that are looked up

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_address[1]}")
    yield answers
    server.shutdown()
    server.server_close()
    thread.join()


@contextlib.contextmanager
def bucket(uri: str) -> Iterator[AudioStorage]:
    storage = open_storage(uri)
    with contextlib.closing(cast("BucketStorage", storage)):
        yield storage


def allow(google: Answers, verbs: list[str]) -> None:
    google.content = {"permissions": [f"storage.objects.{verb}" for verb in verbs]}


def test_check_asks_for_the_permissions_that_are_needed(google: Answers) -> None:
    allow(google, ALL)
    with bucket("gs://audio/prefix") as storage:
        assert storage.check() == "gs://audio/prefix/ takes files"


def test_check_names_the_permissions_that_are_missing(google: Answers) -> None:
    allow(google, ["get", "list"])
    lacking = r"storage\.objects\.create, storage\.objects\.delete"
    with bucket("gs://audio") as storage, pytest.raises(StorageRefused, match=lacking):
        storage.check()


def test_a_bucket_that_is_not_there(google: Answers) -> None:
    google.status = 404
    with bucket("gs://audio") as storage, pytest.raises(StorageRefused, match="no bucket audio"):
        storage.check()


@pytest.mark.parametrize("status", [401, 403])
def test_an_account_that_may_not(google: Answers, status: int) -> None:
    google.status = status
    credentials = "GOOGLE_APPLICATION_CREDENTIALS"
    with bucket("gs://audio") as storage, pytest.raises(StorageRefused, match=credentials):
        storage.stat("2026/03/11/call/recording.ogg")


def test_a_service_that_has_a_fault(google: Answers) -> None:
    google.status = 501
    setting = "AUDIO_STORAGE_URI"
    with bucket("gs://audio") as storage, pytest.raises(StorageUnavailable, match=setting):
        storage.stat("2026/03/11/call/recording.ogg")


@pytest.mark.parametrize(
    ("size", "status", "content"),
    [
        # In one piece Google compares, in several the library does.
        (
            4,
            400,
            {"error": {"message": 'Provided CRC32C "A" doesn\'t match calculated CRC32C "B".'}},
        ),
        (8 * 2**20 + 1, 200, {"crc32c": "AAAAAA=="}),
    ],
)
def test_an_upload_that_was_damaged_on_its_way_may_succeed_later(
    google: Answers, size: int, status: int, content: object
) -> None:
    google.status, google.content = status, content
    audio = bytes(size)
    with bucket("gs://audio") as storage, storage.stage("2026/03/11/c/r") as staged:
        staged.write(audio)
        staged.hash(audio)
        with pytest.raises(StorageUnavailable, match="AUDIO_STORAGE_URI"):
            storage.commit(staged, "2026/03/11/c/r.ogg", content_type="audio/ogg")


def test_opening_needs_no_credentials_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("google.cloud.storage")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    storage = open_storage("gs://audio/a/b/")
    assert storage.uri("2026/03/11/c/r.ogg") == "gs://audio/a/b/2026/03/11/c/r.ogg"
    with pytest.raises(StorageRefused, match="GOOGLE_APPLICATION_CREDENTIALS"):
        storage.check()


def test_what_a_killed_run_left_on_this_machine_is_removed_a_day_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("google.cloud.storage")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    foreign = tmp_path / "audio-extract.txt"
    foreign.touch()
    with (
        bucket("gs://audio") as storage,
        storage.stage("2026/03/11/c/dead") as dead,
        storage.stage("2026/03/11/c/alive") as alive,
    ):
        for path in (dead.path, foreign):
            os.utime(path, (0, 0))
        assert storage.remove_temporary(date(2026, 3, 12)) == 1
        assert not dead.path.exists()
        assert alive.path.exists()
        assert foreign.exists()


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "audio_extract_dagster.storage.bucket", None)
    with pytest.raises(UnknownStorage, match=r"audio-extract\[gcs\]"):
        open_storage("gs://audio/prefix")
