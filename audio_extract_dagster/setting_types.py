"""How the text of one environment variable becomes a typed value.

Each type refuses what it cannot read with a message that starts with "must be". The variables
themselves, their defaults and how they go together are in `settings.py`.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, SecretStr

from audio_extract_dagster.business_days import WEEKDAYS
from audio_extract_dagster.network.base_url import checked_base_url


def _words(value: object) -> object:
    """Nothing but commas is refused: no queue at all would mean every queue."""
    if not isinstance(value, str):
        return value
    words = tuple(word.strip() for word in value.split(",") if word.strip())
    if not words:
        raise ValueError("must have at least one entry, or not be set")
    return words


def _notify_url(url: SecretStr) -> SecretStr:
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", url.get_secret_value()):
        raise ValueError("must have a scheme in front, such as https:// or mailtos://")
    return url


def _weekdays(names: tuple[str, ...]) -> tuple[str, ...]:
    lowered = tuple(name.lower() for name in names)
    if not set(lowered) <= set(WEEKDAYS):
        raise ValueError(f"must be names out of {', '.join(WEEKDAYS)}, separated by commas")
    if set(lowered) == set(WEEKDAYS):
        raise ValueError("must leave at least one day of the week")
    return lowered


def read_holiday(text: str) -> date | tuple[int, int]:
    """`YYYY-MM-DD` as a date, `MM-DD` as (month, day) of every year; ValueError otherwise."""
    parts = re.fullmatch(r"(?:(\d{4})-)?(\d\d)-(\d\d)", text)
    if parts is None:
        raise ValueError("neither YYYY-MM-DD nor MM-DD")
    # 2024 was a leap year, so that 02-29 is a day that comes back, too.
    day = date(int(parts[1] or 2024), int(parts[2]), int(parts[3]))
    return day if parts[1] else (day.month, day.day)


def _holidays(texts: tuple[str, ...]) -> tuple[str, ...]:
    try:
        for text in texts:
            read_holiday(text)
    except ValueError:
        raise ValueError("must be dates as YYYY-MM-DD or MM-DD, separated by commas") from None
    return texts


def _day(text: object) -> object:
    """Pydantic alone would take seconds since 1970 for a date, too."""
    if isinstance(text, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise ValueError("must be a date as YYYY-MM-DD")
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be the name of a time zone, such as America/Lima") from None
    return name


def _log_level(name: str) -> str:
    levels = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    if name.upper() not in levels:
        raise ValueError(f"must be one of {', '.join(levels)}")
    return name.upper()


# The least and the most of each field: minute, hour, day of the month, month, day of the week.
_CRON_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_CRON_NAMES = {
    3: ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    4: tuple(name[:3] for name in (WEEKDAYS[-1], *WEEKDAYS)),
}


def _cron(expression: str) -> str:
    fields = expression.split()
    if len(fields) != len(_CRON_FIELDS) or not all(values := list(map(_matched, fields, range(5)))):
        raise ValueError("must be a cron expression of five fields, such as 0 6 * * 1-6")
    _, _, days, months, _ = values
    # In a leap year, so that 29 February is a day, if a rare one.
    if min(days) > max(monthrange(2024, month)[1] for month in months):
        raise ValueError("must name a day that one of its months has")
    return " ".join(fields)


def _matched(field: str, position: int) -> set[int]:
    """What a field matches, a list of `*`, values and ranges, maybe with a step; else nothing."""
    least, most = _CRON_FIELDS[position]
    for number, name in enumerate(_CRON_NAMES.get(position, ()), start=least):
        field = re.sub(rf"\b{name}\b", str(number), field, flags=re.IGNORECASE)
    matched = set[int]()
    for entry in field.split(","):
        found = re.fullmatch(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/([1-9]\d?))?", entry, re.ASCII)
        if found is None:
            return set()
        first = int(found[1] or least)
        alone = found[1] if not found[3] else None  # `5/10` is from 5 on, every tenth
        last = int(found[2] or alone or most)
        if not least <= first <= last <= most:
            return set()
        matched.update(range(first, last + 1, int(found[3] or 1)))
    return matched


def matching(pattern: str, what: str) -> AfterValidator:
    """Text that a regular expression describes from end to end; `what` says it in words."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {what}")
        return text

    return AfterValidator(check)


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Weekdays = Annotated[Words, AfterValidator(_weekdays)]
Holidays = Annotated[Words, AfterValidator(_holidays)]
BaseUrl = Annotated[str, AfterValidator(checked_base_url)]
WebAddress = Annotated[str, matching(r"https?://[^\s/]\S*", "a full http:// or https:// address")]
Day = Annotated[date, BeforeValidator(_day)]
ZoneName = Annotated[str, AfterValidator(_zone)]
LogLevel = Annotated[str, AfterValidator(_log_level)]
Domain = Annotated[str, matching(r"[a-z0-9-]+(\.[a-z0-9-]+)+", "a domain, such as mypurecloud.com")]
SchemaName = Annotated[
    # `dagster` holds the instance's own tables; the others PostgreSQL keeps for itself.
    str,
    matching(
        r"(?!(?:dagster|information_schema)$|pg_)[a-z_][a-z0-9_]{0,62}",
        "a lower-case name that is neither `dagster` nor `information_schema` and does not start "
        "with `pg_`",
    ),
]
StorageUri = Annotated[
    # A single letter before a colon is a drive of Windows. In a URI the path ends at ? and #.
    str,
    matching(
        r"(?![A-Za-z][A-Za-z0-9+.-]+:).+|file://(?:localhost)?/[^?#]+|gs://[^/?#]+(?:/[^?#]*)?",
        "a folder, or file:///… or gs://bucket/prefix without ? and #",
    ),
]
NotifyUrl = Annotated[SecretStr, AfterValidator(_notify_url)]
CronExpression = Annotated[str, AfterValidator(_cron)]
EmailAddresses = Annotated[
    Words,
    AfterValidator(
        lambda addresses: tuple(_check_address(address) for address in addresses),
    ),
]


def _check_address(address: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
        raise ValueError("must be e-mail addresses separated by commas")
    return address
