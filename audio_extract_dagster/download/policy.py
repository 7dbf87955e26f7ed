"""How patient a download is: every time-out, pause and limit of it, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DownloadPolicy:
    """Patience with one link. Pauses double from one to the next."""

    connect_seconds: float = 10.0
    #: Without a byte for this long, a transfer is broken.
    idle_seconds: float = 30.0
    #: How often a broken or wrong body is fetched in all.
    tries: int = 3
    first_pause_seconds: float = 1.0
    #: A host that asks to wait is obeyed up to this, and it is not counted as a try.
    longest_wait_seconds: float = 180.0
    all_waits_seconds: float = 600.0
