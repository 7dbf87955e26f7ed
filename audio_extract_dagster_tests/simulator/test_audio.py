"""The files: what players open, with honest lengths, each one different."""

from __future__ import annotations

import io
import json
import shutil
import struct
import subprocess
import wave
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_extract_dagster.simulator import audio
from audio_extract_dagster.simulator.audio import ogg
from audio_extract_dagster.simulator.audio.speech import RATE, synthesise

SECONDS = st.floats(0.5, 120.0)


def slow_crc(data: bytes) -> int:
    """RFC 3533 as it is written, bit by bit."""
    value = 0
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value


def pages(stream: bytes) -> list[tuple[int, int, int, int, bytes]]:
    """Flags, granule position, sequence number, checksum and content of each page."""
    found = []
    while stream:
        magic, version, flags, granule, _serial, sequence, checksum = struct.unpack_from(
            "<4sBBqIII", stream
        )
        assert (magic, version) == (b"OggS", 0)
        count = stream[26]
        size = 27 + count + sum(stream[27 : 27 + count])
        found.append((flags, granule, sequence, checksum, stream[:size]))
        stream = stream[size:]
    return found


@given(st.binary(max_size=300))
def test_the_quick_page_checksum_is_the_standard_one(data: bytes) -> None:
    assert ogg.crc(data) == slow_crc(data)


@settings(max_examples=20, deadline=None)
@given(SECONDS)
def test_ogg_pages_are_whole_and_end_at_the_length(seconds: float) -> None:
    stream = audio.render("opus", "r-0", seconds)
    found = pages(stream)
    for number, (_, _, sequence, checksum, page) in enumerate(found):
        assert sequence == number
        assert checksum == ogg.crc(page[:22] + b"\0\0\0\0" + page[26:])
    assert found[0][0] == 2
    assert found[-1][0] == 4
    head = ogg.demux(stream)[0]
    assert head[:8] == b"OpusHead"
    pre_skip = int.from_bytes(head[10:12], "little")
    assert found[-1][1] - pre_skip == round(seconds * 48_000)
    packets = len(ogg.demux(stream)) - 2
    assert (packets - 1) * 960 < found[-1][1] <= packets * 960


@settings(max_examples=20, deadline=None)
@given(SECONDS)
def test_pcm_wave_has_its_length(seconds: float) -> None:
    with wave.open(io.BytesIO(audio.render("pcm", "r-0", seconds))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        assert file.getnframes() == round(seconds * RATE)
        assert len(file.readframes(file.getnframes())) == 2 * file.getnframes()


@settings(max_examples=20, deadline=None)
@given(SECONDS)
def test_ulaw_wave_has_its_length(seconds: float) -> None:
    content = audio.render("ulaw", "r-0", seconds)
    assert struct.unpack_from("<4sI4s", content) == (b"RIFF", len(content) - 8, b"WAVE")
    assert struct.unpack_from("<4sIHHIIHH", content, 12) == (b"fmt ", 18, 7, 1, RATE, RATE, 1, 8)
    assert struct.unpack_from("<4sII", content, 38) == (b"fact", 4, round(seconds * RATE))


@pytest.mark.parametrize("encoding", audio.CONTENT_TYPES)
def test_a_file_follows_from_its_name_and_is_unlike_others(encoding: str) -> None:
    assert audio.render(encoding, "a-0", 3.0) == audio.render(encoding, "a-0", 3.0)
    assert audio.render(encoding, "a-0", 3.0) != audio.render(encoding, "a-1", 3.0)


@given(st.integers(100, 20_000).map(lambda half: 2 * half))
def test_files_of_a_fixed_size(size: int) -> None:
    assert len(audio.render_size("f0000000-0000-4000-8000-000000000001-0", size)) == size


def test_an_impossible_size_is_refused() -> None:
    for size in (10, 1001):
        with pytest.raises(ValueError, match="even number"):
            audio.render_size("name", size)


def test_the_voice_has_sound_and_silence() -> None:
    samples = synthesise(4.0)
    assert len(samples) == 4 * RATE
    assert max(map(abs, samples)) == 20_000
    window = RATE // 20
    loudness = [
        max(map(abs, samples[start : start + window])) for start in range(0, len(samples), window)
    ]
    assert sum(value == 0 for value in loudness) >= 3
    assert sum(value > 2_000 for value in loudness) > len(loudness) // 2


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffprobe is not installed")
@pytest.mark.parametrize(
    ("encoding", "codec"),
    [("pcm", "pcm_s16le"), ("ulaw", "pcm_mulaw"), ("opus", "opus"), ("opus-codecs", "opus")],
)
def test_a_player_agrees(tmp_path: Path, encoding: str, codec: str) -> None:
    path = tmp_path / "recording"
    path.write_bytes(audio.render(encoding, "a-0", 12.5))
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", str(path)]
    told = subprocess.run(command, check=True, capture_output=True)
    assert told.stderr == b""
    stream = json.loads(told.stdout)["streams"][0]
    assert stream["codec_name"] == codec
    # ffprobe counts the 6.5 ms that an Opus decoder skips at the start
    assert float(stream["duration"]) == pytest.approx(12.5, abs=0.007)
