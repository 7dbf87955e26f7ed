r"""Text and JSON as PostgreSQL can store them.

Two things that Python and JSON can say have no place in `text` and `jsonb`: NUL, and surrogates
without a partner. Each becomes U+FFFD. Whatever writes to the database uses this.
"""

from __future__ import annotations

import json
import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def clean_text(value: str) -> str:
    """`value` as a `text` can hold it."""
    value = value.replace("\0", REPLACEMENT)
    try:
        value.encode()
    except UnicodeEncodeError:
        # UTF-16 joins two surrogates that make a character and finds those without a partner.
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def to_json(value: object) -> str:
    """JSON text of `value` as a `jsonb` can hold it. Raises ValueError for NaN and infinities."""
    return clean_json(_encode(value))


def clean_json(text: str) -> str:
    """JSON `text` without the escapes that a `jsonb` refuses. Characters are `clean_text`'s."""
    if not _REFUSED_ESCAPE.search(text):
        return text
    return _ANY_ESCAPE.sub(lambda found: REPLACEMENT if found[1] else found[0], text)


# Made once: `json.dumps` would make one for each value.
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_REFUSED_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
# From left to right, so that the `u0000` after an escaped backslash is the text that it is.
_ANY_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|\\.",
    re.DOTALL,
)
