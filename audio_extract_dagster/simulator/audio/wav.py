"""RIFF/WAVE files: 8 kHz mono, 16-bit PCM or G.711 µ-law, from the voice of `speech`.

A file costs one copy of its samples: the clip is synthesised and encoded once per process, and a
recording starts somewhere inside it, depending on its name, and goes round.
"""

from __future__ import annotations

import functools
import struct
import sys
import zlib

from audio_extract_dagster.simulator.audio.speech import RATE, synthesise

_CLIP_SECONDS = 8.0
_PCM, _ULAW = 1, 7  # WAVE_FORMAT_PCM, WAVE_FORMAT_MULAW


def render(name: str, seconds: float, *, ulaw: bool = False) -> bytes:
    """A WAV file with `seconds` of speech; `name` is its comment and picks where it starts."""
    return _file(name, max(1, round(seconds * RATE)), ulaw=ulaw)


def render_size(name: str, size: int) -> bytes:
    """A µ-law WAV file of exactly `size` bytes, header included; RIFF files have even sizes."""
    empty = len(_file(name, 0, ulaw=True))
    if size < empty or size % 2:
        raise ValueError(f"a WAV file has an even number of bytes, {empty} or more, not {size}")
    return _file(name, size - empty, ulaw=True)


def _file(name: str, samples: int, *, ulaw: bool) -> bytes:
    width = 1 if ulaw else 2
    layout = (_ULAW if ulaw else _PCM, 1, RATE, RATE * width, width, 8 * width)
    # Encodings other than PCM carry an (empty) extension and a `fact` chunk with the length.
    fmt = struct.pack("<HHIIHH", *layout) + (b"\0\0" if ulaw else b"")
    chunks = [_chunk(b"fmt ", fmt)]
    if ulaw:
        chunks.append(_chunk(b"fact", struct.pack("<I", samples)))
    chunks.append(_chunk(b"LIST", b"INFO" + _chunk(b"ICMT", name.encode() + b"\0")))
    chunks.append(_chunk(b"data", _audio(name, samples * width, ulaw=ulaw)))
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(tag: bytes, payload: bytes) -> bytes:
    return b"".join((tag, struct.pack("<I", len(payload)), payload, b"\0" * (len(payload) % 2)))


def _audio(name: str, size: int, *, ulaw: bool) -> bytes:
    clip = _ulaw_clip() if ulaw else _pcm_clip()
    width = 1 if ulaw else 2
    start = zlib.crc32(name.encode()) % (len(clip) // width) * width
    rounds = -(-(start + size) // len(clip))
    return (clip * rounds)[start : start + size]


@functools.cache
def _pcm_clip() -> bytes:
    samples = synthesise(_CLIP_SECONDS)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


@functools.cache
def _ulaw_clip() -> bytes:
    table = bytes(_ulaw(value << 2) for value in range(-8192, 8192))
    return bytes(table[(sample >> 2) + 8192] for sample in synthesise(_CLIP_SECONDS))


def _ulaw(sample: int) -> int:
    """A 16-bit sample as G.711 µ-law: sign, three bits of exponent, four of mantissa, inverted."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    mantissa = magnitude >> (exponent + 3) & 0x0F
    return ~(sign | exponent << 4 | mantissa) & 0xFF
