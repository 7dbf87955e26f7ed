from __future__ import annotations

import struct
import wave
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio_extract_dagster.download.audio_file import AudioFile, inspect
from audio_extract_dagster.download.audio_formats import NotAudio
from audio_extract_dagster.storage.staged import Content
from audio_extract_dagster_tests.audio_bytes import (
    OPUS_HEAD,
    SPEEX_HEAD,
    VORBIS_HEAD,
    mp3,
    ogg,
    ogg_page,
    wav,
)


class Look(Protocol):
    """Inspects bytes as a file."""

    def __call__(self, content: bytes, declared: str | None = None) -> AudioFile: ...


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Inspect bytes as a file."""

    def inspect_bytes(content: bytes, declared: str | None = None) -> AudioFile:
        path = tmp_path / "audio.part"
        path.write_bytes(content)
        with path.open("rb") as file:
            found = _outcome(Content(file.fileno(), len(content)), declared)
        assert found == _outcome(content, declared)  # the same from the disk and from memory
        if isinstance(found, str):
            raise NotAudio(found)
        return found

    return inspect_bytes


def _outcome(content: Content | bytes, declared: str | None) -> AudioFile | str:
    try:
        return inspect(content, declared)
    except NotAudio as error:
        return error.reason


def reason(look: Look, content: bytes) -> str:
    with pytest.raises(NotAudio) as caught:
        look(content, "audio/ogg")
    assert caught.value.reason in str(caught.value)
    return caught.value.reason


# WAV


@pytest.mark.parametrize("format_tag", [1, 6, 7, 0x11, 0x31, 0x45, 0xFFFE])
def test_wav_of_any_codec_has_its_duration(look: Look, format_tag: int) -> None:
    found = look(wav(2.5, format_tag=format_tag, bytes_per_second=8000), "audio/x-wav")
    assert found == AudioFile("audio/x-wav", "wav", 2.5)


def test_wav_written_by_the_standard_library(tmp_path: Path) -> None:
    path = tmp_path / "real.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(4 * 8000 * 3))
    assert inspect(path.read_bytes(), None) == AudioFile("audio/wav", "wav", 3.0)


def test_wav_with_other_chunks_before_the_sound(look: Look) -> None:
    odd = b"LIST" + struct.pack("<I", 3) + b"abc" + b"\0"
    assert look(wav(1.0, extra=odd)).duration_seconds == 1.0


@pytest.mark.parametrize("declared", [0, 0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF - 36])
def test_a_streamed_wav_that_does_not_know_its_length(look: Look, declared: int) -> None:
    assert look(wav(2.0, declared=declared)).duration_seconds == 2.0


@pytest.mark.parametrize("missing", [1, 1000, 16_000 + 7, 16_000 + 30])
def test_a_wav_that_ends_too_early_is_cut_short(look: Look, missing: int) -> None:
    assert reason(look, wav(1.0)[:-missing]) == "cut_short"


def test_a_wav_without_sound_is_empty(look: Look) -> None:
    assert reason(look, wav(0.0)) == "empty"


def test_a_wav_that_does_not_tell_its_rate_has_no_duration(look: Look) -> None:
    broken = wav(1.0).replace(struct.pack("<I", 16_000), bytes(4), 1)
    assert look(broken).duration_seconds is None


# Ogg


@pytest.mark.parametrize(
    ("head", "granule", "seconds"),
    [
        (OPUS_HEAD, 48_000 * 90 + 312, 90.0),
        (VORBIS_HEAD, 8_000 * 90, 90.0),
        (SPEEX_HEAD, 8_000 * 90, 90.0),
        (OPUS_HEAD, 100, 0.0),
    ],
)
def test_ogg_has_its_duration(look: Look, head: bytes, granule: int, seconds: float) -> None:
    found = look(ogg(granule, head=head), "audio/ogg; codecs=opus")
    assert found == AudioFile("audio/ogg", "ogg", seconds)


@given(cut=st.integers(1, 21_000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_an_ogg_cut_inside_a_page_is_cut_short(look: Look, cut: int) -> None:
    whole = ogg(48_000)
    content = whole[: len(whole) - min(cut, len(whole) - 12)]
    edges = {len(whole) - n * len(ogg_page(0, bytes(4000))) for n in range(5)}
    if len(content) not in edges:
        assert reason(look, content) == "cut_short"


def test_an_ogg_without_sound_is_cut_short(look: Look) -> None:
    assert reason(look, ogg(48_000, pages=0)) == "cut_short"


def test_an_ogg_with_other_bytes_inside_is_damaged(look: Look) -> None:
    whole = bytearray(ogg(48_000))
    whole[whole.rindex(b"OggS")] = 0
    assert reason(look, bytes(whole)) == "damaged"
    assert reason(look, ogg_page(5, b"sound without a beginning")) == "damaged"


@pytest.mark.parametrize("head", [b"\x80theora" + bytes(40), b"OpusHead", b""])
def test_an_ogg_of_something_else_is_unknown(look: Look, head: bytes) -> None:
    assert reason(look, ogg(48_000, head=head)) == "unknown_format"


def test_several_streams_in_one_ogg_have_no_simple_duration(look: Look) -> None:
    assert look(ogg(48_000) + ogg(96_000)).duration_seconds is None


# MP3 and the others


@pytest.mark.parametrize("xing", [True, False])
@pytest.mark.parametrize("id3", [b"", b"ID3\4\0\0" + bytes([0, 0, 1, 4]) + bytes(132)])
def test_mp3_has_its_duration(look: Look, xing: bool, id3: bytes) -> None:
    found = look(mp3(100, xing=xing, id3=id3), "audio/mp3")
    assert (found.content_type, found.extension) == ("audio/mp3", "mp3")
    assert found.duration_seconds == pytest.approx(3.6, rel=0.01)


def test_two_bytes_like_an_mp3_frame_are_no_mp3(look: Look) -> None:
    assert reason(look, mp3(1) + b"something else") == "unknown_format"


def test_an_mp3_that_ends_in_its_tag_is_cut_short(look: Look) -> None:
    assert reason(look, b"ID3\4\0\0" + bytes([0, 0, 1, 4]) + bytes(50)) == "cut_short"


@pytest.mark.parametrize(
    ("content", "content_type", "extension"),
    [
        (b"\x1a\x45\xdf\xa3" + bytes(100), "audio/webm", "webm"),
        (b"\0\0\0\x20ftypM4A " + bytes(100), "audio/mp4", "m4a"),
    ],
)
def test_webm_and_mp4_are_accepted_without_a_duration(
    look: Look, content: bytes, content_type: str, extension: str
) -> None:
    assert look(content, None) == AudioFile(content_type, extension, None)


# What the type is called


@pytest.mark.parametrize(
    ("content", "declared", "content_type", "extension"),
    [
        (wav(), None, "audio/wav", "wav"),
        (wav(), "Audio/Vnd.Wave; codec=1", "audio/vnd.wave", "wav"),
        (wav(), "application/octet-stream", "audio/wav", "wav"),
        (wav(), "audio/ogg", "audio/wav", "wav"),
        (ogg(48_000), "audio/wav", "audio/ogg", "ogg"),
        (ogg(48_000), "audio/opus", "audio/opus", "ogg"),
        (mp3(10), "audio/mpeg", "audio/mpeg", "mp3"),
        (mp3(10), "", "audio/mpeg", "mp3"),
    ],
)
def test_the_bytes_decide_and_the_declared_type_refines(
    look: Look, content: bytes, declared: str | None, content_type: str, extension: str
) -> None:
    found = look(content, declared)
    assert (found.content_type, found.extension) == (content_type, extension)


# What is no audio


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"\r\n<!DOCTYPE HTML><html>Sign in</html>", "html_page"),
        (b"<html><body>502 Bad Gateway</body></html>", "html_page"),
        (b"\xef\xbb\xbf<!-- maintenance --><html></html>", "html_page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "xml_document"),
        (b'{"message": "not found"}', "json_document"),
        (b"[]", "json_document"),
        (b"RIFF", "cut_short"),
        (b"RIFF\x24\0\0\0AVI LIST" + bytes(50), "unknown_format"),
        (b"PK\x03\x04" + bytes(50), "unknown_format"),
        (b"\xff\xfet\0e\0x\0t\0" + bytes(50), "unknown_format"),
        (bytes(1000), "unknown_format"),
    ],
)
def test_what_is_no_audio_is_refused_with_a_word(look: Look, content: bytes, word: str) -> None:
    assert reason(look, content) == word


@given(content=st.binary(max_size=300), start=st.sampled_from([b"", wav(0.1), ogg(99), mp3(3)]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_break_the_inspection(look: Look, content: bytes, start: bytes) -> None:
    for piece in (content, start + content, start[:20] + content, start[:40] + content):
        try:
            found = look(piece, "audio/ogg")
        except NotAudio:
            continue
        assert found.duration_seconds is None or found.duration_seconds >= 0
