"""The folder for audio goes away, is in the way, or is full: the run stops and says where."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audio_extract_dagster.download.downloader import Downloader
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import Fault, Recording, World
from audio_extract_dagster.storage import (
    FolderStorage,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
)
from audio_extract_dagster_tests.scenarios.conftest import SceneMaker
from audio_extract_dagster_tests.scenarios.day import LIMITS, Scene
from audio_extract_dagster_tests.scenarios.ending import Ending


def test_a_file_in_place_of_the_folder(scene: Scene, calm: Ending) -> None:
    scene.folder.write_text("not a folder")
    ending = scene.run()
    assert ending.status is JobStatus.FAILED
    assert isinstance(ending.error, StorageRefused)
    assert "AUDIO_STORAGE_URI" in str(ending.error)
    assert ending.requests["batch_submit"] == 0

    scene.folder.unlink()
    assert scene.run().state == calm.state


def test_a_file_in_place_of_the_folder_of_a_day(scene: Scene, calm: Ending) -> None:
    (scene.folder / "2026").mkdir(parents=True)
    (scene.folder / "2026" / "03").write_text("in the way")
    ending = scene.run()
    assert isinstance(ending.error, StorageRefused)

    (scene.folder / "2026" / "03").unlink()
    assert scene.run().state == calm.state


def test_a_folder_that_is_removed_in_mid_run(scene: Scene, calm: Ending) -> None:
    """What was stored before is a matter for `verify`; the rest of the day goes on."""

    def remove(answer: Any) -> object:
        shutil.rmtree(scene.folder)
        return answer

    scene.folder.mkdir()
    scene.simulator.faults.add(Fault("batch_poll", "mutate", change=remove))
    assert scene.run().state == calm.state


def test_a_share_that_is_not_mounted_gets_no_file(scene: Scene, calm: Ending) -> None:
    """They would lie below the place where it is mounted, hidden once it is again."""
    scene.run()
    share = scene.folder.rename(scene.folder.with_name("share"))
    scene.folder.mkdir()
    scene.simulator.finish_uploads()
    refused = scene.attempt("unmounted")
    assert isinstance(refused, StorageUnavailable)
    assert "is empty" in str(refused)
    assert "batch_submit" not in scene.simulator.counters.operations
    assert list(scene.folder.iterdir()) == []

    scene.folder.rmdir()
    share.rename(scene.folder)
    ending = scene.run()
    assert ending.error is None
    assert calm.state.files.items() < ending.state.files.items()


def test_a_folder_whose_files_are_really_lost_is_taken_once_there_is_any_file(
    scene: Scene, calm: Ending
) -> None:
    scene.run()
    shutil.rmtree(scene.folder)
    assert isinstance(scene.attempt("empty"), StorageUnavailable)
    scene.folder.mkdir()
    (scene.folder / "lost").touch()
    assert scene.attempt("not empty") is None


def test_a_storage_that_was_changed_to_another_place(scene: Scene, tmp_path: Path) -> None:
    scene.run()
    scene.simulator.finish_uploads()
    scene.downloader.close()
    scene.downloader = Downloader(FolderStorage(tmp_path / "new"), clock=scene.clock)
    assert scene.attempt("elsewhere") is None
    assert [path for path in (tmp_path / "new").rglob("*") if path.is_file()]


class FirstFileRemovesTheFolder(World):
    """As somebody who tidies up, or a share that is unmounted, while a file comes in."""

    folder: Path | None = None

    def content(self, recording: Recording, part: int) -> bytes:
        if self.folder is not None:
            folder, self.folder = self.folder, None
            shutil.rmtree(folder)
        return super().content(recording, part)


def test_a_folder_that_is_removed_while_a_file_comes_in(
    make_scene: SceneMaker, calm: Ending
) -> None:
    world = FirstFileRemovesTheFolder(seed=7, calls_per_day=40)
    scene = make_scene(world, limits=replace(LIMITS, download_concurrency=1))
    world.folder = scene.folder
    ending = scene.run()
    assert world.folder is None
    assert ending.error is None  # the step was tried again
    assert ending.state == calm.state
    assert len(scene.simulator.log) == len(calm.batches)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: what a full disk is like, for root too.

    Instead of the signal, which would end the process, the write fails.
    """
    resource = pytest.importorskip("resource")  # POSIX has it
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_stops_the_run_and_leaves_nothing_half_written(
    scene: Scene, calm: Ending
) -> None:
    with largest_file(100_000):
        ending = scene.run()
    assert ending.status is JobStatus.FAILED
    assert isinstance(ending.error, StorageFull)
    assert ending.job is not None
    assert "no room left for audio" in str(ending.job.error)
    assert str(scene.folder) in str(ending.job.error)
    # Each file that was in time is whole, and counted.
    assert ending.state.files.items() <= calm.state.files.items()
    assert all(calm.state.records[key] == ending.state.records[key] for key in ending.state.records)

    after = scene.run()
    assert after.state == calm.state
    assert not after.downloads.keys() & ending.state.keys_with("STORED")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(scene: Scene, calm: Ending) -> None:
    scene.folder.mkdir(mode=0o500)
    ending = scene.run()
    assert isinstance(ending.error, StorageRefused)

    scene.folder.chmod(0o700)
    assert scene.run().state == calm.state
