"""What an answer of Genesys Cloud means when its status is not success.

Status first, then Genesys's own code; texts meant for people may hold ids and names, so all that is
taken from them is the names of missing permissions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial

from audio_extract_dagster.genesys.errors import (
    BadRequest,
    GenesysError,
    LoginRefused,
    NotFound,
    NotPermitted,
    RateLimited,
    Unavailable,
)
from audio_extract_dagster.genesys.transport import Reply, Request
from audio_extract_dagster.genesys.wire import ErrorBody, read_error

_PERMISSION = re.compile(r"\b[A-Za-z]+:[A-Za-z]+:[A-Za-z]+\b")
_MEANINGS: Mapping[int, tuple[type[GenesysError], str]] = {
    **dict.fromkeys(
        range(300, 400), (BadRequest, "the answer leads to another address, which is not followed")
    ),
    401: (LoginRefused, "the login is refused"),
    404: (NotFound, "not found"),
    429: (RateLimited, "the rate limit is reached"),
}
_HARMLESS = re.compile(r"[A-Za-z0-9._-]{1,100}")


def error_of(request: Request, reply: Reply, now: datetime) -> GenesysError:
    """The error that `reply` stands for; `now` turns a date of `Retry-After` into seconds."""
    body = read_error(reply.body)
    retry_after = _seconds(reply.headers.get("Retry-After"), now)
    return _meaning(reply.status, body)(
        call=str(request),
        status=reply.status,
        code=_harmless(body.code or body.error),
        correlation_id=correlation_id(reply) or _harmless(body.context_id),
        # "Not now" with a time is said at the door, before anything is done with a request.
        untouched=reply.status == 503 and retry_after is not None,
        retry_after=retry_after,
    )


def correlation_id(reply: Reply) -> str | None:
    """The id under which Genesys's support finds the call."""
    headers = reply.headers
    return _harmless(headers.get("ININ-Correlation-Id") or headers.get("Genesys-Correlation-Id"))


def _meaning(status: int, body: ErrorBody) -> Callable[..., GenesysError]:
    """The kind of error and what happened; which call it was, and the facts, are left open."""
    if status == 403:
        permissions = tuple(_PERMISSION.findall(body.message or ""))
        missing = f"; missing: any of {', '.join(permissions)}" if permissions else ""
        return partial(NotPermitted, f"not permitted{missing}", permissions=permissions)
    if status == 408 or status >= 500:
        return partial(Unavailable, "the server could not answer")
    kind, what = _MEANINGS.get(status, (BadRequest, "the request is refused"))
    return partial(kind, what)


def _harmless(text: str | None) -> str | None:
    """A code or id from the wire if it is one, so that nothing else gets into logs."""
    return text if text and _HARMLESS.fullmatch(text) else None


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    """`Retry-After`: seconds or an HTTP date (RFC 9110, 10.2.3); None if absent or neither."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(retry_after) - now).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return seconds if math.isfinite(seconds) else None
