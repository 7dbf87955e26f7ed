"""Reading JSON whose parts may not be of the type that the documentation gives.

Genesys adds fields and values without notice, and a single odd value must not cost a whole page of
calls. The usual case is one quick typed decode; only a value that it refuses is taken apart, and
what is of the wrong type counts as absent. Which fields there are is in `model.py` and `wire.py`.
"""

from __future__ import annotations

import functools
import json
import re
import types
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

T = TypeVar("T")

_ABSENT = object()

# One escape at a time, so that the `\\` in `\\ud83d` is not taken for the start of another.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>u[dD][89a-fA-F]..)|.)", re.DOTALL
)


class Unreadable(ValueError):
    """Not JSON, or not of the expected kind, and no part of it can stand for the whole."""


def decode(body: bytes, want: type[T]) -> T:
    """`body` as a `want`, exactly: for the frame of an answer, whose values are read one by one.

    An escaped half of a surrogate pair (`\\ud83d` alone, as a clipped emoji leaves it) is no
    character: neither msgspec nor PostgreSQL takes it. It becomes U+FFFD here.
    """
    try:
        body.decode()  # msgspec does not check what it skips
        try:
            return _decode(body, want)
        except msgspec.MsgspecError:
            return _decode(_ESCAPE.sub(_whole, body), want)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Unreadable("not the JSON that this call is documented to give") from None


def read(value: msgspec.Raw, want: type[T]) -> T:
    """`value` as a `want`, where parts of the wrong type count as absent.

    Raises Unreadable if then something is missing that `want` cannot be without.
    """
    try:
        return _decode(value, want)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        try:
            return msgspec.convert(_pruned(json.loads(bytes(value).decode()), want), want)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise Unreadable(f"not readable as {want.__name__}") from None


def _decode(body: bytes | msgspec.Raw, want: type[T]) -> T:
    kind: Any = want  # mypy takes a type[T] for unhashable
    decoded: T = _decoder(kind).decode(body)
    return decoded


@functools.cache
def _decoder(want: Any) -> msgspec.json.Decoder[Any]:
    """Decoders are costly to make and hold no state."""
    return msgspec.json.Decoder(want)


def _whole(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape["half"] else escape[0]


def _pruned(value: Any, want: Any) -> Any:
    """`value` without the parts that `want` does not provide for; _ABSENT if nothing is left."""
    if get_origin(want) in (Union, types.UnionType):  # all of ours are `X | None`
        (want,) = (arm for arm in get_args(want) if arm is not types.NoneType)
        return None if value is None else _pruned(value, want)
    if get_origin(want) is tuple:  # all of ours are `tuple[X, ...]`
        if not isinstance(value, list):
            return _ABSENT
        items = (_pruned(item, get_args(want)[0]) for item in value)
        return [item for item in items if item is not _ABSENT]
    if isinstance(want, type) and issubclass(want, msgspec.Struct):
        return _pruned_fields(value, want) if isinstance(value, dict) else _ABSENT
    try:
        msgspec.convert(value, want)
    except (msgspec.MsgspecError, ValueError):
        return _ABSENT
    return value


def _pruned_fields(value: dict[str, Any], want: type[msgspec.Struct]) -> dict[str, Any]:
    known = _known_fields(want)
    parts = {name: _pruned(value[name], known[name]) for name in known.keys() & value.keys()}
    return {name: part for name, part in parts.items() if part is not _ABSENT}


@functools.cache
def _known_fields(want: type[msgspec.Struct]) -> dict[str, Any]:
    """The types of the fields by their names on the wire."""
    return {field.encode_name: field.type for field in msgspec.structs.fields(want)}
