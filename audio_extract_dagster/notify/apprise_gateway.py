"""Messages by SMTP and whatever else the Apprise library speaks.

https://appriseit.com/services lists the schemes of NOTIFY_URL; `smtp://` and `smtps://` are taken
as other names of its `mailto://` and `mailtos://`. EMAILS are the recipients where the service is
mail, and nothing where it is a chat room.

Apprise says of several recipients only whether all of them were reached, so each gets a mail of its
own: with one address that is refused for good, the others would get theirs at every try.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import quote

import apprise

from audio_extract_dagster.notify.gateway import GatewayRefused, GatewayUnavailable
from audio_extract_dagster.notify.message import Message
from audio_extract_dagster.redaction import RedactingFilter, host_of

_log = logging.getLogger(__name__)

_OTHER_NAMES = {"smtp": "mailto", "smtps": "mailtos"}
_MAIL = {"mailto", "mailtos"}
# Mails under way at the same time. One after another they would wait 15 s each for a server that
# does not answer; more connections than this some servers refuse.
_AT_ONCE = 3
# What Apprise's log names as a URL may be any text that was set as one.
_URL = re.compile(r"(://|\bURL:? )\S+")


class AppriseGateway:
    """One Apprise service."""

    def __init__(self, notify_url: str, emails: Sequence[str]) -> None:
        scheme, _, rest = notify_url.partition("://")
        scheme = _OTHER_NAMES.get(scheme.lower(), scheme.lower())
        self._urls = [f"{scheme}://{rest}"]
        if scheme in _MAIL:
            to = f"{self._urls[0]}{'&' if '?' in rest else '?'}to="
            self._urls = [to + quote(email, safe="@") for email in emails]
        # Where other services have a host, many have a token.
        shown = host_of(notify_url) if scheme in _MAIL else "…"
        self._name = f"{scheme}://{shown}" if rest else "a text without a scheme"
        # Apprise logs recipients and URLs, one that it cannot read even as an error.
        logging.getLogger("apprise").addFilter(_HIDE_URLS)
        for url in self._urls:
            self._service(url)

    def __repr__(self) -> str:
        return f"AppriseGateway({self._name!r})"

    def send(self, message: Message) -> None:
        """Sent is what one recipient has: who has it must not get it again."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            outcomes = pool.map(partial(self._fault, message), self._urls)
            faults = [fault for fault in outcomes if fault is not None]
        if len(faults) == len(self._urls):
            raise GatewayUnavailable(
                f"{self._name} (NOTIFY_URL) {faults[0]}. The message is kept and sent later."
            )
        if faults:
            _log.warning(
                "%d of %d recipients did not take the message: %s (NOTIFY_URL) %s. It is not sent "
                "again; see whether EMAILS are right.",
                len(faults),
                len(self._urls),
                self._name,
                faults[0],
            )

    def _fault(self, message: Message, url: str) -> str | None:
        """Deliver to one; returns why it was not taken."""
        try:
            delivered = self._service(url).notify(
                title=message.subject, body=message.html, body_format=apprise.NotifyFormat.HTML
            )
        except Exception as error:
            # A hundred services by a hundred authors: any exception means not delivered, and its
            # text may hold the URL.
            return f"failed ({type(error).__name__})"
        return None if delivered else "did not take it; the log of `apprise` says why"

    def check(self) -> str:
        return f"{self._name} is a service that Apprise knows (not connected to)"

    def _service(self, url: str) -> apprise.Apprise:
        """A fresh one for each message: an old one pauses between two of them."""
        asset = apprise.AppriseAsset(
            app_id="audio-extract",
            async_mode=False,
            storage_mode=apprise.PersistentStoreMode.MEMORY,
        )
        service = apprise.Apprise(asset=asset)
        # A URL it cannot use is refused by a return value only.
        if not service.add(url):
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
