"""The containers that audio comes in: how each is recognised and examined.

Nothing is decoded: headers alone tell. What a file of a batch has to be is in `audio_file.py`.

Formats are those that Genesys Cloud hands out (trunk recordings: PCM, G.711, Opus and others in WAV
or Ogg; MP3 and WebM on request). Sources: Multimedia Programming Interface 1.0 and RFC 2361 (WAV),
RFC 3533 (Ogg), RFC 7845 (Opus), Vorbis I section 4.2, Speex manual section 7, ISO 11172-3 (MP3),
RFC 9559 (WebM).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from audio_extract_dagster.errors import TryAgain

_OGG_PAGE = struct.Struct("<4sxBq12xB")


class FileBytes(Protocol):
    """The bytes of a file: in memory, or on a disk."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> bytes: ...


class NotAudio(TryAgain):
    """The bytes are no whole audio file; `reason` is a word for the log.

    `empty`, `html_page`, `xml_document`, `json_document`, `cut_short`, `damaged`,
    `unknown_format`.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"What was received is not a whole audio file ({reason}).")


@dataclass(frozen=True)
class Format:
    """A container: its file extension, the content types that mean it (the usual one first).

    `examine` tells how many seconds a file plays, None where the headers do not, and raises
    `NotAudio` for one that is not whole. It cannot vouch for MP3, WebM, MP4, a WAV that does not
    know its length, and an Ogg that ends between two pages: that they have come whole, only the
    length that the file host announced tells.
    """

    extension: str
    content_types: tuple[str, ...]
    examine: Callable[[FileBytes], float | None]
    may_be_video: Callable[[FileBytes], bool] = lambda _: False


def recognise(head: bytes) -> Format | None:
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return WAV
    if head[:4] == b"OggS":
        return OGG
    if head[:3] == b"ID3" or _mp3_frame(head) is not None:
        return MP3
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return WEBM
    if head[4:8] == b"ftyp":
        return MP4
    return None


def _exactly(content: FileBytes, start: int, count: int) -> bytes:
    data = content[start : start + count]
    if len(data) < count:
        raise NotAudio("cut_short")
    return data


def _examine_wav(content: FileBytes) -> float | None:
    """Bytes of the data chunk over bytes per second of the format chunk."""
    at = 12
    bytes_per_second = 0
    name, length = struct.unpack("<4sI", _exactly(content, at, 8))
    while name != b"data":
        if name == b"fmt ":
            bytes_per_second = struct.unpack("<8xI", _exactly(content, at + 8, 12))[0]
        at += 8 + length + length % 2  # chunks are padded to an even length
        name, length = struct.unpack("<4sI", _exactly(content, at, 8))
    available = len(content) - at - 8
    # A writer that could not go back to fill in the length leaves 0 or about the largest there is:
    # 0xFFFFFFFF (also in RF64) or, from SoX, 0x7FFFF000 and a little.
    if length == 0 or length >= 0x7FFFF000:
        length = available
    if length > available:
        raise NotAudio("cut_short")
    if length == 0:
        raise NotAudio("empty")
    return length / bytes_per_second if bytes_per_second else None


def _examine_ogg(content: FileBytes) -> float | None:
    """Last sample position of the stream, less what a decoder drops at its start, over the rate.

    Walks the pages, so that a file that ends inside one is known to be cut short.
    """
    rate = dropped = position = streams = start = 0
    while start < len(content):
        header = _exactly(content, start, _OGG_PAGE.size)
        magic, flags, granule, segments = _OGG_PAGE.unpack(header)
        if magic != b"OggS":
            raise NotAudio("damaged")
        start += _OGG_PAGE.size
        length = sum(_exactly(content, start, segments))
        start += segments
        if start + length > len(content):
            raise NotAudio("cut_short")
        if flags & 2:  # the first page of a stream: the codec's header, alone
            streams += 1
            rate, dropped = _ogg_codec(content[start : start + min(length, 80)])
        position = max(position, granule)
        start += length
    if streams == 0:
        raise NotAudio("damaged")
    if position == 0:
        raise NotAudio("cut_short")  # headers, and no sound
    # Several streams, one after another or side by side: the positions alone do not tell.
    return max(0, position - dropped) / rate if streams == 1 else None


def _ogg_codec(header: bytes) -> tuple[int, int]:
    """Samples per second of the positions in the pages, and samples to drop at the start."""
    rate = dropped = 0
    if header.startswith(b"OpusHead") and len(header) >= 19:
        rate, dropped = 48_000, struct.unpack_from("<H", header, 10)[0]
    elif header.startswith(b"\x01vorbis") and len(header) >= 30:
        rate = struct.unpack_from("<I", header, 12)[0]
    elif header.startswith(b"Speex   ") and len(header) >= 80:
        rate = struct.unpack_from("<I", header, 36)[0]
    if rate == 0:
        raise NotAudio("unknown_format")
    return rate, dropped


@dataclass(frozen=True)
class _Mp3Frame:
    bits_per_second: int
    samples_per_second: int
    samples: int
    length: int
    xing_offset: int


def _mp3_frame(header: bytes) -> _Mp3Frame | None:
    """The MPEG audio layer III frame that starts here, if one does."""
    if len(header) < 4:
        return None
    (bits,) = struct.unpack_from(">I", header)
    version, layer = bits >> 19 & 3, bits >> 17 & 3
    rate, frequency = bits >> 12 & 15, bits >> 10 & 3
    if bits >> 21 != 0x7FF or version == 1 or layer != 1 or rate in (0, 15) or frequency == 3:
        return None
    first = version == 3  # MPEG-1; else the half and quarter sampling rates of MPEG-2 and 2.5
    kilobits = (_MP3_KILOBITS if first else _MP3_KILOBITS_LOW)[rate]
    hertz = (44_100, 48_000, 32_000)[frequency] >> {3: 0, 2: 1, 0: 2}[version]
    samples = 1152 if first else 576
    length = samples // 8 * kilobits * 1000 // hertz + (bits >> 9 & 1)
    mono = bits >> 6 & 3 == 3
    side_information = (17 if mono else 32) if first else (9 if mono else 17)
    return _Mp3Frame(kilobits * 1000, hertz, samples, length, 4 + side_information)


_MP3_KILOBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MP3_KILOBITS_LOW = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def _examine_mp3(content: FileBytes) -> float | None:
    """Frames that a Xing header counts times their length, else bytes over the bit rate."""
    tag = _exactly(content, 0, 10)
    start = 0
    if tag[:3] == b"ID3":
        start = 10 + sum(byte << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True))
    head = content[start : start + 4096]
    frame = _mp3_frame(head)
    if frame is None:
        raise NotAudio("cut_short" if start >= len(content) else "unknown_format")
    rest = head[frame.length :]
    # Two bytes of anything may look like a frame; a frame where the first one ends is no accident.
    if len(rest) >= 4 and _mp3_frame(rest) is None:
        raise NotAudio("unknown_format")
    mark, flags, frames = struct.unpack_from(">4sII", head.ljust(64, b"\0"), frame.xing_offset)
    if mark in (b"Xing", b"Info") and flags & 1:
        return float(frames * frame.samples / frame.samples_per_second)
    return (len(content) - start) * 8 / frame.bits_per_second


def _examine_nothing(_: FileBytes) -> None:
    """WebM and MP4 keep their length deep inside; a player reads it, the ledger can do without."""


# What a track of pictures says of its codec (V_VP9, V_AV1 …): element, size, text.
_PICTURES = re.compile(rb"\x86[\x80-\xff]V_")
_FIRST_CLUSTER = b"\x1f\x43\xb6\x75"
_WEBM_HEAD_BYTES = 64 * 1024


def _has_pictures(webm: FileBytes) -> bool:
    """Whether one of its tracks, which come before all sound and pictures, is of pictures."""
    tracks, _, _ = webm[:_WEBM_HEAD_BYTES].partition(_FIRST_CLUSTER)
    return _PICTURES.search(tracks) is not None


# Registered brands of MP4 files that hold nothing but sound (mp4ra.org).
_AUDIO_BRANDS = (b"M4A ", b"M4B ")


def _is_of_any_brand(mp4: FileBytes) -> bool:
    return mp4[8:12] not in _AUDIO_BRANDS


WAV = Format(
    "wav",
    ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave", "audio/x-pn-wav"),
    _examine_wav,
)
OGG = Format(
    "ogg",
    ("audio/ogg", "audio/opus", "audio/vorbis", "audio/speex", "application/ogg"),
    _examine_ogg,
)
MP3 = Format("mp3", ("audio/mpeg", "audio/mp3", "audio/mpeg3", "audio/x-mpeg"), _examine_mp3)
WEBM = Format("webm", ("audio/webm",), _examine_nothing, _has_pictures)
MP4 = Format("m4a", ("audio/mp4", "audio/m4a", "audio/x-m4a"), _examine_nothing, _is_of_any_brand)
