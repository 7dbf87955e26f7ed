"""What the base address of an API may be: a client's secret and its tokens are sent there."""

from __future__ import annotations

from urllib.parse import urlsplit

from audio_extract_dagster.network.loopback import is_loopback


def checked_base_url(url: str) -> str:
    """`url` without its last slash. Raises ValueError, which says what it must be.

    Plain http is for a server on this machine: anywhere else it would show the secret on the way.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:  # its text shows the value
        raise ValueError("must be a URL") from None
    if parts.scheme not in ("https", "http") or not host:
        raise ValueError("must be a full URL, such as https://api.mypurecloud.com")
    if parts.username is not None or "?" in url or "#" in url:
        raise ValueError("must be a plain URL without user, query or fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("must be an https:// URL (plain http is accepted for loopback only)")
    return url.rstrip("/")
