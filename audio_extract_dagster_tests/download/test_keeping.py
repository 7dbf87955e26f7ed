"""What the storage does to a download: a file in the way, a refusal, a disk that fills up."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from audio_extract_dagster.download.downloader import Downloader
from audio_extract_dagster.storage import FolderStorage, StorageRefused
from audio_extract_dagster_tests.audio_bytes import ogg
from audio_extract_dagster_tests.download.fetching import AUDIO, STEM, fetch, leftovers
from audio_extract_dagster_tests.download.file_server import FileServer, file
from audio_extract_dagster_tests.fake_clock import FakeClock


def test_a_file_takes_the_place_of_another(
    server: FileServer, downloader: Downloader, storage: FolderStorage
) -> None:
    url = server.link("/a", file(AUDIO))
    assert fetch(downloader, url, STEM, None) == fetch(downloader, url, STEM, None)
    other = ogg(96_000)
    fetch(downloader, server.link("/b", file(other)), STEM, None)
    assert [path.read_bytes() for path in leftovers(storage)] == [other]


def test_a_storage_that_refuses_is_not_asked_again(
    server: FileServer, clock: FakeClock, tmp_path: Path
) -> None:
    (tmp_path / "audio").touch()
    storage = FolderStorage(tmp_path / "audio")
    with (
        Downloader(storage, clock=clock) as downloader,
        pytest.raises(StorageRefused, match="AUDIO_STORAGE_URI"),
    ):
        fetch(downloader, server.link("/a", file(AUDIO)), STEM, None)
    assert clock.sleeps == []
    assert server.requests == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_disk_that_fills_up_half_way(server: FileServer, tmp_path: Path) -> None:
    program = """
        import resource, sys
        from pathlib import Path
        from audio_extract_dagster.download.downloader import Downloader
        from audio_extract_dagster.storage import FolderStorage, StorageFull
        from audio_extract_dagster_tests.download.fetching import fetch
        from audio_extract_dagster_tests.fake_clock import FakeClock

        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        storage = FolderStorage(Path(sys.argv[1]))
        with Downloader(storage, clock=FakeClock()) as downloader:
            for _ in range(2):  # the connection that was left half-way is not used again
                try:
                    fetch(downloader, sys.argv[2], "2026/03/11/call/recording", None)
                except StorageFull as error:
                    assert "room" in str(error)
                else:
                    sys.exit("stored more than there is room for")
        assert not [path for path in storage.root.rglob("*") if path.is_file()]
    """
    url = server.link("/a", file(ogg(48_000, pages=200)))
    folder = str(tmp_path / "audio")
    command = [sys.executable, "-c", textwrap.dedent(program), folder, url]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    assert len(server.requests) == 2
