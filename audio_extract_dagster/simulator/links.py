"""Signed links to audio files: short-lived addresses that need no token and refuse one.

The query carries what S3's carries (`X-Amz-Date`, `X-Amz-Expires`, `X-Amz-Signature`), so that a
client that reads them, or must not log them, meets the real thing. Times are whole seconds.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from urllib.parse import urlencode

_FORMAT = "%Y%m%dT%H%M%SZ"


class BrokenLink(Exception):
    """The storage refuses the link; `code` is the one in its XML answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Links:
    """Signs and checks with a secret of its own; links of another process do not open here."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, path: str, now: datetime, seconds: float) -> str:
        """Path and query of a link that opens for so many seconds from `now`."""
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Date": now.strftime(_FORMAT),
            "X-Amz-Expires": f"{seconds:g}",
        }
        query["X-Amz-Signature"] = self._signature(path, query)
        return f"{path}?{urlencode(query)}"

    def check(self, path: str, query: dict[str, str], now: datetime) -> None:
        """Raises `BrokenLink` for a link that was not signed here, or that has expired."""
        given = query.get("X-Amz-Signature", "")
        if not hmac.compare_digest(given.encode(), self._signature(path, query).encode()):
            raise BrokenLink(
                "SignatureDoesNotMatch",
                "The request signature does not match the one we calculated.",
            )
        signed = datetime.strptime(query["X-Amz-Date"], _FORMAT).replace(tzinfo=timezone.utc)
        if now >= signed + timedelta(seconds=float(query["X-Amz-Expires"])):
            raise BrokenLink("AccessDenied", "Request has expired")

    def _signature(self, path: str, query: dict[str, str]) -> str:
        signed = f"{path}\n{query.get('X-Amz-Date')}\n{query.get('X-Amz-Expires')}"
        return hmac.new(self._secret, signed.encode(), sha256).hexdigest()
