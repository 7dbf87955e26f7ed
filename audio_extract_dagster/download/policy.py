"""How patient a download is: every time-out, pause and limit of it, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DownloadPolicy:
    """Patience with one link. Pauses double from one to the next."""

    connect_seconds: float = 10.0
    #: Slower than `slowest_bytes_per_second` for this long, a transfer is broken.
    idle_seconds: float = 30.0
    #: As slow as audio plays that is coded in 8 kbit/s, the least of what telephony uses. A host
    #: that lets bytes drip would hold a thread, and with it the end of the run, for days.
    slowest_bytes_per_second: int = 1000
    #: How often a broken or wrong body is fetched in all.
    tries: int = 3
    first_pause_seconds: float = 1.0
    #: A host that asks to wait is obeyed up to this, and it is not counted as a try.
    longest_wait_seconds: float = 180.0
    all_waits_seconds: float = 600.0
