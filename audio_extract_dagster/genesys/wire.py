"""The answers of the Genesys Cloud API as they come over the wire, read into the project's types.

Those types are in `model.py`, the bodies that are sent in `bodies.py`, paths and methods in
`client.py`. A reader raises `tolerance.Unreadable`, and nothing else, for what it cannot read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

import msgspec

from audio_extract_dagster.genesys.model import (
    BatchJobStatus,
    BatchResult,
    Conversation,
    ConversationPage,
    Identifier,
    Moment,
    Participant,
    RecordingMetadata,
    WireStruct,
)
from audio_extract_dagster.genesys.tolerance import Unreadable, decode, read

P = TypeVar("P", bound=WireStruct)

_NULL = msgspec.Raw(b"null")
_LIST: Any = list[msgspec.Raw] | None
# What can stand in a header, a path and a table as it is.
_PLAIN = re.compile(r"[\x21-\x7e]+")

SHORTEST_LINK_LIFETIME = timedelta(minutes=2)
SHORTEST_TOKEN_LIFETIME = 300.0
"""Seconds; what an OAuth client can be set to at least."""


# Conversations


class _Page(msgspec.Struct, rename="camel"):
    conversations: list[msgspec.Raw] | None = None
    total_hits: msgspec.Raw = _NULL


class _Conversation(WireStruct, frozen=True, kw_only=True):
    conversation_end: Moment | None = None
    conversation_id: Identifier
    conversation_start: Moment
    originating_direction: str | None = None
    participants: tuple[Participant, ...] = ()


def read_conversation_page(body: bytes) -> ConversationPage:
    page = decode(body, _Page)
    conversations = []
    unreadable = 0
    for raw in page.conversations or ():
        try:
            conversations.append(_conversation(raw))
        except Unreadable:
            unreadable += 1
    return ConversationPage(conversations, _count(page.total_hits), unreadable)


def read_conversation(body: bytes) -> Conversation:
    return _conversation(decode(body, msgspec.Raw))


def _conversation(raw: msgspec.Raw) -> Conversation:
    hit = read(raw, _Conversation)
    start = _utc(hit.conversation_start)
    if start is None:
        raise Unreadable("conversationStart is out of range")
    return Conversation(
        id=hit.conversation_id,
        start=start,
        end=_utc(hit.conversation_end),
        originating_direction=hit.originating_direction,
        participants=hit.participants,
        payload=bytes(raw),
    )


def _utc(moment: datetime | None) -> datetime | None:
    try:
        return moment and moment.astimezone(timezone.utc)
    except OverflowError:  # an offset that leads out of the years 1 to 9999
        return None


# Recordings


class _Job(msgspec.Struct):
    id: msgspec.Raw = _NULL


class _RecordingSettings(msgspec.Struct, rename="camel"):
    recording_batch_download_url_ttl: msgspec.Raw = _NULL


class _JobStatus(msgspec.Struct, rename="camel"):
    status: msgspec.Raw = _NULL
    expected_result_count: msgspec.Raw = _NULL
    result_count: msgspec.Raw = _NULL
    error_count: msgspec.Raw = _NULL
    results: list[msgspec.Raw] | None = None


def read_recording_metadata(body: bytes) -> list[RecordingMetadata]:
    entries: list[msgspec.Raw] | None = decode(body, _LIST)
    return _parts(entries, RecordingMetadata)


def read_batch_id(body: bytes) -> str:
    job_id = _text(decode(body, _Job).id)
    if job_id is None or not _PLAIN.fullmatch(job_id):
        raise Unreadable("no id of a job")
    return job_id


def read_batch_status(body: bytes) -> BatchJobStatus:
    job = decode(body, _JobStatus)
    return BatchJobStatus(
        status=_text(job.status),
        expected_count=_count(job.expected_result_count),
        result_count=_count(job.result_count),
        error_count=_count(job.error_count),
        results=_parts(job.results, BatchResult),
    )


def read_link_lifetime(body: bytes) -> timedelta:
    """Minutes as they are said, within 2 and 60; the shortest lifetime there is if they are not."""
    minutes = _number(decode(body, _RecordingSettings).recording_batch_download_url_ttl)
    return max(timedelta(minutes=min(minutes or 0, 60)), SHORTEST_LINK_LIFETIME)


# Everything else


class ErrorBody(WireStruct, frozen=True):
    """The body of an error, as far as it is one; `error` is the login's word for a code."""

    code: str | None = None
    error: str | None = None
    message: str | None = None
    context_id: str | None = None


@dataclass(frozen=True)
class Token:
    """An access token and the seconds that it lives."""

    value: str = field(repr=False)
    lifetime: float


class _Token(msgspec.Struct):
    access_token: msgspec.Raw = _NULL
    expires_in: msgspec.Raw = _NULL


class _Named(msgspec.Struct):
    name: msgspec.Raw = _NULL


def read_token(body: bytes) -> Token:
    """A lifetime that is not said is taken for the shortest there is."""
    token = decode(body, _Token)
    value = _text(token.access_token)
    if value is None or not _PLAIN.fullmatch(value):
        raise Unreadable("no access token")
    return Token(value, _number(token.expires_in) or SHORTEST_TOKEN_LIFETIME)


def read_name(body: bytes) -> str:
    name = _text(decode(body, _Named).name)
    if name is None:
        raise Unreadable("no name")
    return name


def read_error(body: bytes) -> ErrorBody:
    """Never raises: proxies answer with HTML or nothing."""
    try:
        return read(decode(body, msgspec.Raw), ErrorBody)
    except Unreadable:
        return ErrorBody()


# Values that may be of any kind


def _parts(raws: Iterable[msgspec.Raw] | None, want: type[P]) -> list[P]:
    """One part for each value; an empty one for a value that is no such part at all."""
    parts = []
    for raw in raws or ():
        try:
            parts.append(read(raw, want))
        except Unreadable:
            parts.append(want())
    return parts


def _text(raw: msgspec.Raw) -> str | None:
    try:
        return read(raw, str)
    except Unreadable:
        return None


def _number(raw: msgspec.Raw) -> float | None:
    """A finite number that is not negative, or None."""
    try:
        number = read(raw, float)
    except Unreadable:
        return None
    return number if 0 <= number < 1e15 else None


def _count(raw: msgspec.Raw) -> int:
    """0 if there is none, or one that no organization can have (and no `integer` can hold)."""
    number = _number(raw) or 0
    return int(number) if number < 2**31 else 0
