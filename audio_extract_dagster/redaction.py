"""Keep what is nobody's business out of texts that leave the process: logs, errors, mails.

A last line of defence, for texts that other libraries wrote; our own messages hold nothing to hide
in the first place. Hides too much rather than too little: a count of nine digits goes, too.
"""

from __future__ import annotations

import logging
import re
from urllib.parse import urlsplit

HIDDEN = "***"

# What is full of digits and harmless, and must not be taken for a telephone number: UUIDs, ISO
# dates and times, IPv4 addresses. The first alternative that matches wins.
_HARMLESS_OR_PHONE = re.compile(
    r"""(?P<harmless>
          \b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b
        | \b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b
        | \b\d{1,3}(?:\.\d{1,3}){3}\b
      )
      | (?<!\w)(?:\+|\(\+?)?\d(?:[ ()./-]{0,2}\d){6,}(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # user:password@ of a URL
    (re.compile(r"(?<=://)[^\s/@]+@"), f"{HIDDEN}@"),
    # the query of a URL or of a path: signatures live there
    (re.compile(r"(?<=[^\s?])\?[^\s\"'<>]+"), f"?{HIDDEN}"),
    (re.compile(r"\b(bearer)\s+[^\s\"',;]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(basic)\s+[A-Za-z0-9+/=_-]{12,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # password=…, "access_token": "…"
    (
        re.compile(
            r"\b([\w-]*(?:password|passwd|secret|token|signature|api[_-]?key))"
            r"(=|[\"']\s*:\s*)(\"[^\"]*\"|'[^']*'|[^\s&,;\"']+)",
            re.IGNORECASE,
        ),
        rf"\1\2{HIDDEN}",
    ),
    # sip:name@host, tel:number, and mail addresses without their domain
    (re.compile(r"\b(tel|sips?):[^\s\"'<>]+", re.IGNORECASE), rf"\1:{HIDDEN}"),
    (re.compile(r"[\w.+%-]+@(?=[\w-]+(?:\.[\w-]+)+)"), f"{HIDDEN}@"),
)


def redact(text: str) -> str:
    """`text` without URL queries, credentials, tokens, mail boxes and telephone numbers."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return _HARMLESS_OR_PHONE.sub(lambda found: found["harmless"] or HIDDEN, text)


def host_of(url: str) -> str:
    """The part of a URL that may be shown when its path or query is a secret."""
    try:
        return urlsplit(url).hostname or "(no host)"
    except ValueError:
        return "(no host)"


class RedactingFilter(logging.Filter):
    """For loggers of other people's libraries, which log whole URLs."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = None
        return True
