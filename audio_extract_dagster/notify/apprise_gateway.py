"""Messages by SMTP and whatever else the Apprise library speaks.

https://appriseit.com/services lists the schemes of NOTIFY_URL; `smtp://` and `smtps://` are taken
as other names of its `mailto://` and `mailtos://`. EMAILS are the recipients where the service is
mail, and nothing where it is a chat room.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from urllib.parse import quote

import apprise

from audio_extract_dagster.notify.gateway import GatewayRefused, GatewayUnavailable
from audio_extract_dagster.notify.message import Message
from audio_extract_dagster.redaction import RedactingFilter, host_of

_OTHER_NAMES = {"smtp": "mailto", "smtps": "mailtos"}
_MAIL = {"mailto", "mailtos"}
# What Apprise's log names as a URL may be any text that was set as one.
_URL = re.compile(r"(://|\bURL:? )\S+")


class AppriseGateway:
    """One Apprise service."""

    def __init__(self, notify_url: str, emails: Sequence[str]) -> None:
        scheme, _, rest = notify_url.partition("://")
        scheme = _OTHER_NAMES.get(scheme.lower(), scheme.lower())
        self._url = f"{scheme}://{rest}"
        if scheme in _MAIL:
            separator = "&" if "?" in rest else "?"
            recipients = ",".join(quote(email, safe="@") for email in emails)
            self._url += f"{separator}to={recipients}"
        # Where other services have a host, many have a token.
        shown = host_of(notify_url) if scheme in _MAIL else "…"
        self._name = f"{scheme}://{shown}" if rest else "a text without a scheme"
        # Apprise logs recipients and URLs, one that it cannot read even as an error.
        logging.getLogger("apprise").addFilter(_HIDE_URLS)
        self._service()

    def __repr__(self) -> str:
        return f"AppriseGateway({self._name!r})"

    def send(self, message: Message) -> None:
        try:
            delivered = self._service().notify(
                title=message.subject, body=message.html, body_format=apprise.NotifyFormat.HTML
            )
        except Exception as error:
            # A hundred services by a hundred authors: any exception means not delivered, and its
            # text may hold the URL.
            raise GatewayUnavailable(
                f"{self._name} (NOTIFY_URL) failed ({type(error).__name__})."
            ) from None
        if not delivered:
            raise GatewayUnavailable(
                f"{self._name} (NOTIFY_URL) did not take the message; the log of `apprise` says "
                "why. It is kept and sent later."
            )

    def check(self) -> str:
        return f"{self._name} is a service that Apprise knows (not connected to)"

    def _service(self) -> apprise.Apprise:
        """A fresh one for each message: an old one pauses between two of them."""
        asset = apprise.AppriseAsset(
            app_id="audio-extract",
            async_mode=False,
            storage_mode=apprise.PersistentStoreMode.MEMORY,
        )
        service = apprise.Apprise(asset=asset)
        # A URL it cannot use is refused by a return value only.
        if not service.add(self._url):
            raise GatewayRefused(
                f"NOTIFY_URL ({self._name}) is not a URL that Apprise can use. For mail it reads "
                "mailtos://user:password@host:port?from=sender@example.com."
            )
        return service


class _HideUrls(RedactingFilter):
    """Takes recipients away, and URLs whole: any part of one may be a credential."""

    def filter(self, record: logging.LogRecord) -> bool:
        kept = super().filter(record)
        record.msg = _URL.sub(r"\1…", record.msg)
        return kept


_HIDE_URLS = _HideUrls()
