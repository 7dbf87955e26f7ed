"""Ogg/Opus files of any length: the packets of `speech.opus`, muxed anew for each recording.

Nothing is encoded at run time. A recording takes the clip's 20-ms packets in turn, from a place
that depends on its name, and gets pages of its own: serial number, sequence, granule positions that
end exactly at its length (RFC 7845, section 4: the last page trims), checksums, end of stream.
"""

from __future__ import annotations

import functools
import struct
import zlib
from importlib import resources
from typing import NamedTuple

_CLOCK = 48_000  # granule positions count 48 kHz samples, whatever the input rate (RFC 7845)
_PACKET_SAMPLES = 960  # 20 ms
_PACKETS_PER_PAGE = 50
_FIRST, _LAST = 0x02, 0x04  # header type flags of RFC 3533

_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class Clip(NamedTuple):
    """The shipped stream, taken apart."""

    head: bytes
    pre_skip: int
    packets: tuple[bytes, ...]


def render(name: str, seconds: float) -> bytes:
    """A whole Ogg/Opus file with `seconds` of speech; `name` goes into its comments."""
    clip = _clip()
    serial = zlib.crc32(name.encode())
    end = clip.pre_skip + max(1, round(seconds * _CLOCK))
    count = -(-end // _PACKET_SAMPLES)
    start = serial % len(clip.packets)
    packets = (clip.packets * (-(-(start + count) // len(clip.packets))))[start : start + count]
    pages = [
        _page([clip.head], serial, 0, 0, _FIRST),
        _page([_tags(name)], serial, 1, 0, 0),
    ]
    for first in range(0, count, _PACKETS_PER_PAGE):
        last = min(first + _PACKETS_PER_PAGE, count)
        granule = min(last * _PACKET_SAMPLES, end)
        flags = _LAST if last == count else 0
        pages.append(_page(packets[first:last], serial, len(pages), granule, flags))
    return b"".join(pages)


def crc(data: bytes) -> int:
    """The checksum of an Ogg page: CRC-32 with polynomial 0x04c11db7, unreflected, no inversion.

    zlib computes the mirror image of it, so the bits of each byte are reversed on the way in and
    those of the result on the way out: native speed instead of a loop over the bytes.
    """
    mirrored = zlib.crc32(data.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_REVERSED_BITS), "big")


def _page(
    packets: list[bytes] | tuple[bytes, ...], serial: int, sequence: int, granule: int, flags: int
) -> bytes:
    lacing = b"".join(
        b"\xff" * (len(packet) // 255) + bytes((len(packet) % 255,)) for packet in packets
    )
    if len(lacing) > 255:
        raise ValueError("the packets do not fit one page")
    header = struct.pack("<4sBBqIII", b"OggS", 0, flags, granule, serial, sequence, 0)
    page = b"".join((header, bytes((len(lacing),)), lacing, *packets))
    return page[:22] + struct.pack("<I", crc(page)) + page[26:]


def _tags(name: str) -> bytes:
    vendor, comment = b"audio-extract simulator", b"COMMENT=" + name.encode()
    sizes = struct.pack("<I", len(vendor)), struct.pack("<II", 1, len(comment))
    return b"".join((b"OpusTags", sizes[0], vendor, sizes[1], comment))


@functools.cache
def _clip() -> Clip:
    stream = resources.files(__package__).joinpath("speech.opus").read_bytes()
    head, _tags, *packets = demux(stream)
    return Clip(head, int.from_bytes(head[10:12], "little"), tuple(packets))


def demux(stream: bytes) -> list[bytes]:
    """The packets of a single-stream Ogg file, in order."""
    packets, pending, position = [], b"", 0
    while position < len(stream):
        segments = stream[position + 26]
        lacing = stream[position + 27 : position + 27 + segments]
        position += 27 + segments
        for size in lacing:
            pending += stream[position : position + size]
            position += size
            if size < 255:
                packets.append(pending)
                pending = b""
    return packets
