from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio_extract_dagster.storage import Staged

SIZE = 600_000  # more than twice what is read at once
PARTS = st.tuples(st.integers(0, SIZE + 10), st.integers(0, SIZE + 10))


def test_a_renamed_file_is_not_discarded(tmp_path: Path) -> None:
    with Staged.create(str(tmp_path), "audio") as staged:
        staged.write(b"OggS")
        staged.close()
        staged.rename(str(tmp_path / "audio.ogg"))
    assert [path.name for path in tmp_path.iterdir()] == ["audio.ogg"]


def test_nothing_is_written_to_a_closed_file(tmp_path: Path) -> None:
    with Staged.create(str(tmp_path), "audio") as staged:
        staged.close()
        with pytest.raises(ValueError, match="closed"):
            staged.write(b"OggS")


def test_a_checksum_of_less_than_was_written_is_none(tmp_path: Path) -> None:
    with Staged.create(str(tmp_path), "audio") as staged:
        staged.write(b"Ogg")
        staged.hash(b"Ogg")
        assert staged.sha256 == hashlib.sha256(b"Ogg").hexdigest()
        staged.write(b"S")
        with pytest.raises(ValueError, match="not hashed"):
            _ = staged.sha256


@given(st.lists(PARTS, max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_slices_of_a_file_are_those_of_its_bytes(
    tmp_path: Path, parts: list[tuple[int, int]]
) -> None:
    written = bytes(range(256)) * (SIZE // 256) + b"the end"
    with Staged.create(str(tmp_path), "audio") as staged:
        staged.write(written)
        content = staged.content()
        assert len(content) == len(written)
        for start, stop in parts:
            assert content[start:stop] == written[start:stop]
