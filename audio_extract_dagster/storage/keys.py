"""The name of an audio file inside its storage: a pure function of what the file is.

A key is a relative path with `/`, the same for a folder and a bucket. Where keys lie and how bytes
get there is in the storages.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date

_PLAIN_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


def day_prefix(call_date: date) -> str:
    """`yyyy/mm/dd/`: what the keys of one day start with, and no key of another day does."""
    return call_date.isoformat().replace("-", "/") + "/"


def audio_stem(call_date: date, conversation_id: str, recording_id: str, part: int) -> str:
    """The key without its extension, which is known only once the bytes have been looked at.

    `part` is 0 for a recording that came as one file, else 1…n.

    Two recordings of one conversation share a stem only if the id of one is the id of the other
    with `-n` appended. Genesys ids are UUIDs, all of one length, so that none is.
    """
    if part < 0:
        raise ValueError(f"a part is 0 or more, not {part}")
    suffix = f"-{part}" if part else ""
    return f"{day_prefix(call_date)}{_in_path(conversation_id)}/{_in_path(recording_id)}{suffix}"


def audio_key(stem: str, extension: str) -> str:
    """`yyyy/mm/dd/{conversation_id}/{recording_id}[-{part}].{extension}`."""
    return f"{stem}.{extension}"


def key_parts(key: str) -> tuple[str, ...]:
    """The names between the slashes; `ValueError` for what would lead out of a storage."""
    parts = tuple(part for part in key.split("/") if part not in ("", "."))
    if not parts or key.startswith("/") or ".." in parts or "\0" in key:
        raise ValueError(f"not a key: {key!r}")
    return parts


def _in_path(identifier: str) -> str:
    """The id itself if it is harmless in a path, else a fixed-length name that stands for it."""
    if _PLAIN_ID.fullmatch(identifier):
        return identifier
    # `surrogatepass`: JSON may carry half a surrogate pair, which plain UTF-8 cannot express.
    digest = hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()
    return f"x-{digest[:32]}"
