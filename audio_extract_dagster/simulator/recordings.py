"""What is recorded of a call: how many recordings, in which state, how long, in which format.

Most calls have one recording of the external leg. The other situations are those a batch client
meets; each appears on every day with enough calls.
Audio bytes are made in `audio/`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from audio_extract_dagster.simulator.audio import CONTENT_TYPES
from audio_extract_dagster.simulator.model import Recording

SITUATIONS: dict[str, float] = {
    "normal": 84.0,
    "two": 4.0,
    "three": 1.0,
    "unrecorded": 3.0,  # answered, but no session says `recording`
    "unlisted": 0.5,  # a session says `recording: true`, and there is none
    "uploading": 1.0,
    "archived": 1.0,
    "deleted": 1.0,
    "error": 0.5,
    "restoring": 0.5,
    "screen": 1.5,
    "screen_zip": 0.5,
    "parts": 1.5,
    "sensitive": 1.0,
}
"""Name → share of the calls. `parts`: one recording with several results."""

_STATES = {"uploading", "archived", "deleted", "error", "restoring"}
_ENCODINGS = ("opus-codecs", "opus", "pcm", "ulaw")
_ENCODING_SHARES = (45, 35, 10, 10)


def recordings(
    situation: str,
    session_id: str,
    talk_ms: int,
    rng: random.Random,
    new_id: Callable[[int], str],
) -> tuple[Recording, ...]:
    """The recordings of one call, together as long as the talk. `new_id` names the n-th."""
    if situation in ("unrecorded", "unlisted"):
        return ()
    count = {"two": 2, "three": 3}.get(situation, 1)
    encoding = rng.choices(_ENCODINGS, _ENCODING_SHARES)[0]
    seconds = max(1.0, min(600.0, talk_ms / 1000)) / count
    audio = Recording(
        id=new_id(0),
        session_id=session_id,
        media="audio",
        subtype="Trunk",
        state=situation.upper() if situation in _STATES else "AVAILABLE",
        content_type=CONTENT_TYPES[encoding],
        seconds=seconds,
        encoding=encoding,
        parts=rng.choice((2, 3)) if situation == "parts" else 1,
        sensitive=situation == "sensitive",
    )
    found = [audio, *(replace(audio, id=new_id(number)) for number in range(1, count))]
    if situation.startswith("screen"):
        content_type = "video/mp4" if situation == "screen" else "application/zip; screen"
        found.append(
            replace(
                audio,
                id=new_id(count),
                media="screen",
                subtype="Screen",
                content_type=content_type,
                encoding="screen",
            )
        )
    return tuple(found)
