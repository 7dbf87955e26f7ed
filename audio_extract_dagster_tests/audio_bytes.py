"""Small sound files for tests: right headers, and bytes that need not be listened to."""

from __future__ import annotations

import struct


def wav(
    seconds: float = 1.0,
    *,
    format_tag: int = 1,
    bytes_per_second: int = 16_000,
    declared: int | None = None,
    extra: bytes = b"",
) -> bytes:
    """A WAV file of a telephone call; `extra` chunks go before the data chunk."""
    data = bytes(int(seconds * bytes_per_second))
    length = len(data) if declared is None else declared
    fmt = struct.pack("<HHIIHH", format_tag, 1, 8000, bytes_per_second, 2, 16)
    body = b"WAVE" + b"fmt " + struct.pack("<I", 16) + fmt + extra
    body += b"data" + struct.pack("<I", length) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


OPUS_HEAD = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 8000, 0, 0)
VORBIS_HEAD = b"\x01vorbis" + struct.pack("<IBIiiiBB", 0, 1, 8000, 0, 0, 0, 0xB8, 1)
SPEEX_HEAD = b"Speex   " + bytes(20) + struct.pack("<II", 1, 80) + struct.pack("<I", 8000)
SPEEX_HEAD += bytes(80 - len(SPEEX_HEAD))


def ogg_page(granule: int, packet: bytes, *, flags: int = 0, serial: int = 1) -> bytes:
    """One page with one packet of less than 65,025 bytes."""
    lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
    header = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, serial, 0, 0, len(lacing))
    return header + lacing + packet


def ogg(last_granule: int, *, head: bytes = OPUS_HEAD, pages: int = 5, page: int = 4000) -> bytes:
    """A stream whose last page ends at `last_granule`; checksums are left out."""
    content = ogg_page(0, head, flags=2) + ogg_page(0, b"comments")
    for number in range(1, pages + 1):
        granule = last_granule * number // pages
        content += ogg_page(granule, bytes(page), flags=4 if number == pages else 0)
    return content


def mp3(frames: int, *, xing: bool = False, id3: bytes = b"") -> bytes:
    """MPEG-2 layer III, 24 kbit/s, 16 kHz, mono: frames of 108 bytes and 36 ms."""
    header = bytes.fromhex("fff338c4")
    frame = header + bytes(104)
    first = header + bytes(9) + b"Xing" + struct.pack(">II", 1, frames)
    return id3 + (first.ljust(108, b"\0") if xing else b"") + frame * frames
