from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_extract_dagster.storage import audio_key, audio_stem, day_prefix

DAY = date(2026, 3, 11)
CALL = "11111111-2222-4333-8444-555555555555"
RECORDING = "f0000000-0000-4000-8000-000000000001"

anything = st.text(st.characters(), max_size=80)  # lone surrogates and NUL included
uuids = st.uuids().map(str)


def test_a_single_file_has_no_part_in_its_name() -> None:
    stem = audio_stem(DAY, CALL, RECORDING, 0)
    assert audio_key(stem, "ogg") == f"2026/03/11/{CALL}/{RECORDING}.ogg"


def test_each_part_has_its_number() -> None:
    stem = audio_stem(DAY, CALL, RECORDING, 2)
    assert audio_key(stem, "wav") == f"2026/03/11/{CALL}/{RECORDING}-2.wav"


@pytest.mark.parametrize("identifier", ["", "../../etc/passwd", "a\0b", "ñ", "x" * 65, "\ud800"])
def test_an_id_that_is_no_file_name_appears_as_its_hash(identifier: str) -> None:
    digest = hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()
    expected = f"x-{digest[:32]}"
    assert audio_stem(DAY, CALL, identifier, 1) == f"2026/03/11/{CALL}/{expected}-1"
    assert audio_stem(DAY, identifier, RECORDING, 0) == f"2026/03/11/{expected}/{RECORDING}"


@given(anything, anything, st.integers(0, 99), st.dates())
def test_no_id_leaves_the_folder_of_its_day(
    call: str, recording: str, part: int, day: date
) -> None:
    key = audio_key(audio_stem(day, call, recording, part), "ogg")
    path = PurePosixPath(key)
    assert key.startswith(day_prefix(day))
    assert len(path.parts) == 5
    assert ".." not in path.parts
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/[A-Za-z0-9-]{1,64}/[A-Za-z0-9-]{1,67}\.ogg", key)


@given(
    st.tuples(uuids | anything, uuids, st.integers(0, 99)),
    st.tuples(uuids | anything, uuids, st.integers(0, 99)),
)
def test_different_recordings_have_different_names(
    one: tuple[str, str, int], other: tuple[str, str, int]
) -> None:
    assert (audio_stem(DAY, *one) == audio_stem(DAY, *other)) == (one == other)


def test_a_part_is_not_negative() -> None:
    with pytest.raises(ValueError, match="part"):
        audio_stem(DAY, CALL, RECORDING, -1)
