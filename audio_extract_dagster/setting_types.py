"""How the text of one environment variable becomes a typed value.

Each type refuses what it cannot read with a message that starts with "must be". The variables
themselves, their defaults and how they go together are in `settings.py`.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import date
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator

from audio_extract_dagster.business_days import WEEKDAYS


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


def _words(value: object) -> object:
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    plain_is_fine = parts.scheme == "http" and is_loopback(parts.hostname)
    if not plain_is_fine and not (parts.scheme == "https" and parts.hostname):
        raise ValueError("must be an https:// URL (plain http is accepted for loopback only)")
    return url.rstrip("/")


def _weekdays(names: tuple[str, ...]) -> tuple[str, ...]:
    lowered = tuple(name.lower() for name in names)
    if not set(lowered) <= set(WEEKDAYS):
        raise ValueError(f"must be names out of {', '.join(WEEKDAYS)}, separated by commas")
    if set(lowered) == set(WEEKDAYS):
        raise ValueError("must leave at least one day of the week")
    return lowered


def read_holiday(text: str) -> date | tuple[int, int]:
    """`YYYY-MM-DD` as a date, `MM-DD` as (month, day) of every year; ValueError otherwise."""
    yearly = re.fullmatch(r"(\d\d)-(\d\d)", text)
    if yearly is None:
        return date.fromisoformat(text)
    # 2024 was a leap year, so that 02-29 is a day that comes back, too.
    day = date(2024, int(yearly[1]), int(yearly[2]))
    return day.month, day.day


def _holidays(texts: tuple[str, ...]) -> tuple[str, ...]:
    try:
        for text in texts:
            read_holiday(text)
    except ValueError:
        raise ValueError("must be dates as YYYY-MM-DD or MM-DD, separated by commas") from None
    return texts


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
BaseUrl = Annotated[str, AfterValidator(_base_url)]
ZoneName = Annotated[str, AfterValidator(_zone)]
LogLevel = Annotated[str, AfterValidator(_log_level)]
Domain = Annotated[str, matching(r"[a-z0-9-]+(\.[a-z0-9-]+)+", "a domain, such as mypurecloud.com")]
SchemaName = Annotated[
    # `dagster` holds the instance's own tables.
    str,
    matching(r"(?!dagster$)[a-z_][a-z0-9_]{0,62}", "a lower-case name other than `dagster`"),
]
CronExpression = Annotated[str, matching(r"\S+( +\S+){4}", "a cron expression of five fields")]
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
