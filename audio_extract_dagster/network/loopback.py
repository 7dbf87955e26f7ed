"""Whether a host is this machine itself: the only place to which anything may go in the clear."""

from __future__ import annotations

import ipaddress
from functools import lru_cache


@lru_cache
def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine itself."""
    if not host:
        return False
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
