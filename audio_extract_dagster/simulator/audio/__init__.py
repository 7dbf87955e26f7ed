"""Audio files of any length from one voice: what a recording's bytes are.

A file is a pure function of its recording and part, it opens in every player, its header tells the
truth about its length, and no two files of an org are alike. Which recordings exist and how long
they are is decided in `simulator.recordings`.
"""

from __future__ import annotations

from audio_extract_dagster.simulator.audio import ogg, wav

CONTENT_TYPES = {
    "pcm": "audio/wav",
    "ulaw": "audio/x-wav",
    "opus": "audio/ogg",
    "opus-codecs": "audio/ogg; codecs=opus",
}
"""Encoding → the content type that a batch result and the file host give for it."""


def render(encoding: str, name: str, seconds: float) -> bytes:
    """A file with `seconds` of speech in one of `CONTENT_TYPES`; `name` makes it unlike others."""
    if encoding.startswith("opus"):
        return ogg.render(name, seconds)
    return wav.render(name, seconds, ulaw=encoding == "ulaw")


def render_size(name: str, size: int) -> bytes:
    """A WAV file of exactly `size` bytes (even, 200 or more), for benchmarks."""
    return wav.render_size(name, size)
