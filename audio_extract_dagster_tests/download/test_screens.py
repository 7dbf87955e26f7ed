"""What a call may have recorded beside its audio, such as a screen: it is not stored as audio."""

from __future__ import annotations

import pytest

from audio_extract_dagster.download.audio_file import AudioFile, inspect, may_be_audio
from audio_extract_dagster.download.audio_formats import NotAudio

# By the bytes


def webm(*codecs: bytes, sound: bytes = b"") -> bytes:
    """A header, a void that a player skips, a track for each codec, and sound."""
    tracks = b"".join(b"\x86" + bytes([0x80 | len(codec)]) + codec for codec in codecs)
    return b"\x1a\x45\xdf\xa3\x84webm" + bytes(3000) + tracks + b"\x1f\x43\xb6\x75" + sound


@pytest.mark.parametrize("codec", [b"V_VP8", b"V_VP9", b"V_AV1", b"V_MPEG4/ISO/AVC"])
def test_a_webm_with_pictures_needs_the_word_of_genesys(codec: bytes) -> None:
    content = webm(b"A_OPUS", codec)
    with pytest.raises(NotAudio, match="unknown_format"):
        inspect(content, None)
    assert inspect(content, "audio/webm; codecs=opus") == AudioFile("audio/webm", "webm", None)


def test_a_webm_of_sound_alone_needs_none() -> None:
    content = webm(b"A_OPUS", sound=b"\x86\x85V_VP8")  # by accident
    assert inspect(content, None) == AudioFile("audio/webm", "webm", None)


def test_an_mp4_that_may_be_a_video_needs_the_word_of_genesys() -> None:
    content = b"\0\0\0\x18ftypmp42" + bytes(100)
    with pytest.raises(NotAudio, match="unknown_format"):
        inspect(content, None)
    assert inspect(content, "audio/mp4") == AudioFile("audio/mp4", "m4a", None)


# By the declared type


@pytest.mark.parametrize(
    "content_type",
    ["audio/ogg", "AUDIO/WAV", "audio/ogg; codecs=opus", None, "", "application/octet-stream"],
)
def test_audio_and_unknown_types_are_fetched(content_type: str) -> None:
    assert may_be_audio(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "video/mp4",
        "video/webm; codecs=vp9",
        "application/zip",
        "application/json; charset=utf-8",
        "text/html",
        "image/png",
        "application/x-screen-recording",
        "audio/screen",
    ],
)
def test_screens_and_chats_are_not(content_type: str) -> None:
    assert not may_be_audio(content_type)
