"""Is this file the audio it claims to be, is it whole, and how long does it play?

The first bytes decide what a file is; the declared content type only refines the name. The formats
themselves are in `audio_formats.py`; how files are fetched is in `downloader.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from audio_extract_dagster.download.audio_formats import FileBytes, NotAudio, recognise


@dataclass(frozen=True)
class AudioFile:
    """What a file turned out to be; the duration is None where the header does not tell."""

    content_type: str
    extension: str
    duration_seconds: float | None


# Other things that a conversation may have recorded: they are counted, not stored.
_OTHER_MEDIA = ("video/", "image/", "text/", "message/", "multipart/")
_OTHER_TYPES = {"application/json", "application/pdf", "application/xml", "application/zip"}


def may_be_audio(content_type: str | None) -> bool:
    """Whether a batch result with this declared type is to be fetched as audio.

    Screens, chats, e-mails are not. A missing or unknown type is: its bytes will tell.
    """
    media_type = _media_type(content_type)
    if "screen" in media_type or media_type.startswith(_OTHER_MEDIA):
        return False
    return media_type not in _OTHER_TYPES


def inspect(content: FileBytes, declared_content_type: str | None) -> AudioFile:
    """Look at a whole file; raises `NotAudio` if it is no audio, or not whole."""
    head = content[:512]
    found = recognise(head)
    if found is None:
        raise NotAudio(_what_else(head))
    declared = _media_type(declared_content_type)
    if declared not in found.content_types and found.may_be_video(content):
        raise NotAudio("unknown_format")  # it may as well be the recording of a screen
    duration = found.examine(content)
    content_type = declared if declared in found.content_types else found.content_types[0]
    return AudioFile(content_type, found.extension, duration)


def _media_type(content_type: str | None) -> str:
    """`Audio/OGG; codecs=opus` → `audio/ogg`."""
    return (content_type or "").partition(";")[0].strip().lower()


def _what_else(head: bytes) -> str:
    """The word for something that is no audio."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not head:
        return "empty"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or b"<html" in text:
        return "html_page"
    if text.startswith(b"<"):
        return "xml_document"
    if text.startswith((b"{", b"[")):
        return "json_document"
    # Shorter than any header: the beginning of something.
    return "cut_short" if len(head) < 12 else "unknown_format"
