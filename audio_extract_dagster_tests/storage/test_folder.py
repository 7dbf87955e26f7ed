"""What only a folder can do wrong."""

from __future__ import annotations

import errno
import os
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from audio_extract_dagster.errors import Never, TryAgain
from audio_extract_dagster.storage import (
    FolderStorage,
    Staged,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
    UnknownStorage,
    audio_stem,
    folder,
    open_storage,
)
from audio_extract_dagster.storage.errors import disk_errors

STEM = audio_stem(date(2026, 3, 11), "call-1", "recording-1", 0)
KEY = f"{STEM}.ogg"
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX modes")


def put(storage: FolderStorage, content: bytes = b"OggS") -> Path:
    with storage.stage(STEM) as staged:
        staged.write(content)
        staged.hash(content)
        storage.commit(staged, KEY, content_type="audio/ogg")
    return storage.root / KEY


@contextmanager
def nobody() -> Iterator[None]:
    """As an account that modes apply to, since they do not to root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@posix
@pytest.mark.parametrize(("umask", "folder", "file"), [(0, 0o700, 0o600), (0o277, 0o500, 0o400)])
def test_audio_is_private(tmp_path: Path, umask: int, folder: int, file: int) -> None:
    storage = FolderStorage(tmp_path / "audio")
    if os.geteuid() != 0 and not folder & stat.S_IWUSR:
        pytest.skip("such an umask locks everybody but root out")
    previous = os.umask(umask)
    try:
        path = put(storage)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == file
    inner = path.parent
    while inner != tmp_path:
        assert stat.S_IMODE(inner.stat().st_mode) == folder
        inner = inner.parent


@posix
def test_folders_above_the_storage_are_not_closed_to_others(tmp_path: Path) -> None:
    previous = os.umask(0o022)
    try:
        put(FolderStorage(tmp_path / "data" / "audio"))
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "data" / "audio").stat().st_mode) == 0o700


def test_the_temporary_file_lies_beside_the_final_one(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)
    with storage.stage(STEM) as staged:
        assert staged.path.parent == (storage.root / KEY).parent
        assert staged.path.name.endswith(".part")
        with storage.stage(STEM) as another:
            assert another.path != staged.path


def test_leftovers_of_a_dead_run_are_removed_with_their_day_only(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)
    stored = put(storage)
    other_stem = audio_stem(date(2026, 3, 12), "call-1", "recording-1", 0)
    dead = [storage.stage(STEM), storage.stage(STEM), storage.stage(f"{STEM}-2")]
    other = storage.stage(other_stem)
    for staged in [*dead, other]:
        staged.close()
    assert storage.remove_temporary(date(2026, 3, 11)) == 3
    assert storage.remove_temporary(date(2026, 3, 11)) == 0
    assert not any(staged.path.exists() for staged in dead)
    assert other.path.exists()
    assert stored.exists()


def test_check_leaves_nothing_behind(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path / "audio")
    assert "first file" in storage.check()
    assert list(tmp_path.iterdir()) == []
    put(storage)
    before = sorted(tmp_path.rglob("*"))
    assert "GiB free" in storage.check()
    assert sorted(tmp_path.rglob("*")) == before


@posix
def test_a_folder_without_write_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    for storage in (FolderStorage(tmp_path), FolderStorage(tmp_path / "audio")):
        with nobody():
            with pytest.raises(StorageRefused, match="AUDIO_STORAGE_URI"):
                storage.stage(STEM)
            with pytest.raises(StorageRefused, match="AUDIO_STORAGE_URI"):
                storage.check()


@pytest.mark.parametrize("below", ["", "audio"])
def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.touch()
    storage = FolderStorage(file / below)
    with pytest.raises(StorageRefused, match="AUDIO_STORAGE_URI"):
        storage.stage(STEM)
    with pytest.raises(StorageRefused, match="AUDIO_STORAGE_URI"):
        storage.check()
    assert issubclass(StorageRefused, Never)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_too_many_open_files_are_no_fault_of_the_disk(number: int) -> None:
    with pytest.raises(StorageUnavailable, match="DOWNLOAD_CONCURRENCY"), disk_errors("/srv/audio"):
        raise OSError(number, "too many")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /dev/full")
def test_a_full_disk_is_said_to_be_full() -> None:
    # /dev/full answers each write as a full disk does.
    with Staged("/nowhere/audio.part", os.open("/dev/full", os.O_WRONLY)) as staged:
        with pytest.raises(StorageFull, match="no room left"):
            staged.write(b"x" * 100)
        staged.close()
    assert issubclass(StorageFull, TryAgain)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_a_disk_that_gives_an_error_while_it_is_read_is_named(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)
    path = storage.root / KEY
    path.parent.mkdir(parents=True)
    path.symlink_to("/proc/self/mem")  # opens, and answers a read as a broken disk does
    with pytest.raises(StorageUnavailable, match="Input/output error"):
        storage.sha256(KEY)


def test_a_folder_that_vanishes_can_come_back(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path / "audio")
    with storage.stage(STEM) as staged:
        staged.write(b"OggS")
        staged.hash(b"OggS")
        staged.path.unlink()
        with pytest.raises(TryAgain, match="disk or share"):
            storage.commit(staged, KEY, content_type="audio/ogg")
    assert put(storage).read_bytes() == b"OggS"


def test_a_relative_folder_is_relative_to_where_the_process_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    storage = open_storage("data/audio")
    assert isinstance(storage, FolderStorage)
    monkeypatch.chdir("/")
    assert put(storage).is_relative_to(tmp_path / "data" / "audio")
    assert storage.uri(KEY) == (tmp_path / "data" / "audio" / KEY).as_uri()


def test_opening_touches_nothing(tmp_path: Path) -> None:
    open_storage(str(tmp_path / "audio"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path / "audio#2?"))
    assert storage.uri(KEY) == (tmp_path / "audio#2?" / KEY).as_uri()
    assert storage.key_of(storage.uri(KEY)) == KEY


@pytest.mark.parametrize(
    "uri",
    [
        "ftp://host/audio",
        "file://host/audio",
        "https://x",
        "gs:///audio",
        "gs://bucket/audio#2",
        "file:///srv/audio?2",
        "file:///srv/audio#",
    ],
)
def test_an_unknown_kind_of_storage_is_named(uri: str) -> None:
    with pytest.raises(UnknownStorage, match="AUDIO_STORAGE_URI"):
        open_storage(uri)


def test_a_root_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "audio").symlink_to(tmp_path / "gone")
    with pytest.raises(StorageUnavailable, match="AUDIO_STORAGE_URI"):
        put(FolderStorage(tmp_path / "audio"))


def test_little_room_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not FolderStorage(tmp_path).check().startswith("Warning")
    monkeypatch.setattr(folder, "_LOW_BYTES", sys.maxsize)
    assert FolderStorage(tmp_path).check().startswith("Warning: ")


@posix
def test_a_place_without_room_is_found_by_writing(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        with pytest.raises(StorageFull):
            FolderStorage(tmp_path).check()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert list(tmp_path.iterdir()) == []
