"""Who carries a message out of the house: the contact centre's HTTP gateway, or the log.

Each gateway either has delivered when `send` returns or raises one of three errors; trying again is
the outbox's business. Other ways (SMTP, chat services) are in `apprise_gateway.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

import requests

from audio_extract_dagster.errors import Never, TryAgain
from audio_extract_dagster.network.proxies import Proxies, UnknownProxy
from audio_extract_dagster.notify.layout import plain_text
from audio_extract_dagster.notify.message import Message
from audio_extract_dagster.redaction import host_of

_log = logging.getLogger(__name__)

# Sending a mail takes its time. With the 20 s in which tries begin (`outbox.py`) this stays below
# the minute that Dagster gives a sensor.
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 25.0


class GatewayUnavailable(TryAgain):
    """The gateway could not be reached or had a fault of its own; the message waits."""


class GatewaySilent(TryAgain):
    """The gateway took the message, and its answer did not come: somebody may have the mail."""


class GatewayRefused(Never):
    """The gateway was reached and does not want the message, or NOTIFY_URL is no gateway."""


class Gateway(Protocol):
    """A way out for messages. `repr` shows nothing secret."""

    def send(self, message: Message) -> None:
        """Deliver, or raise `GatewayUnavailable`, `GatewaySilent` or `GatewayRefused`."""

    def check(self) -> str:
        """One line about the gateway for `doctor`; sends nothing, raises as `send` does.

        What works but should not stay so begins with `Warning`.
        """


class HttpGateway:
    """The contact centre's mail gateway: one POST of JSON; any 2xx means taken."""

    def __init__(
        self, notify_url: str, emails: Sequence[str], *, answer_seconds: float = _ANSWER_SECONDS
    ) -> None:
        self._url = notify_url
        self._emails = tuple(emails)
        self._timeout = (_CONNECT_SECONDS, answer_seconds)
        # The path or query of the URL may hold a key.
        self._host = host_of(notify_url)

    def __repr__(self) -> str:
        return f"HttpGateway({self._host!r}, {len(self._emails)} recipients)"

    def send(self, message: Message) -> None:
        status = self._request(
            "POST",
            {
                "title": message.title,
                "subject": message.subject,
                "priority": "sendinblue",  # the gateway's name for how it sends: it knows no other
                "htmlContent": message.html,
                "to": [{"name": "", "email": email} for email in self._emails],
            },
        )
        if 200 <= status < 300:
            return
        if status in (408, 429) or status >= 500:
            raise GatewayUnavailable(
                f"The notification gateway on {self._host} (NOTIFY_URL) answered {status}; the "
                "message is kept and sent later."
            )
        raise GatewayRefused(
            f"The notification gateway on {self._host} refused the message with status {status}. "
            "See whether NOTIFY_URL is its whole address and EMAILS are addresses it accepts."
        )

    def check(self) -> str:
        # HEAD delivers nothing; what it answers to it matters little, that it answers much. A small
        # gateway may know POST alone, and says so with 501.
        status = self._request("HEAD", None)
        if status >= 500 and status != requests.codes.not_implemented:
            raise GatewayUnavailable(
                f"The notification gateway on {self._host} (NOTIFY_URL) answers, with {status}."
            )
        return f"the notification gateway on {self._host} answers"

    def _request(self, method: str, content: object) -> int:
        try:
            # Streamed and not read: the status is all there is to know. A redirect is not
            # followed, it would turn the POST into a GET.
            with requests.request(
                method,
                self._url,
                json=content,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
                proxies=Proxies().for_requests(self._url),
            ) as response:
                return response.status_code
        except UnknownProxy as error:
            raise GatewayRefused(str(error)) from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
            raise GatewayRefused("NOTIFY_URL is not an address that can be called.") from None
        except requests.ReadTimeout:
            doubt = "; the message may have been delivered" if content else ""
            raise GatewaySilent(
                f"The notification gateway on {self._host} (NOTIFY_URL) gave no answer within "
                f"{self._timeout[1]:g} s{doubt}."
            ) from None
        except requests.RequestException as error:
            # Its own text holds the whole URL.
            raise GatewayUnavailable(
                f"The notification gateway on {self._host} (NOTIFY_URL) cannot be reached "
                f"({type(error).__name__})."
            ) from None


class LogGateway:
    """Where messages go while no gateway is configured."""

    def __repr__(self) -> str:
        return "LogGateway()"

    def send(self, message: Message) -> None:
        # Shown whatever LOG_LEVEL says, for it counts as sent. And at least a warning: where no log
        # is set up, as in Dagster's code server, Python shows these and no less.
        level = max(logging.WARNING, _log.getEffectiveLevel())
        _log.log(level, "%s\n%s", message.subject, plain_text(message.html))

    def check(self) -> str:
        return "Warning: NOTIFY_URL and EMAILS are not set, so messages go to the log only"


def open_gateway(notify_url: str | None, emails: Sequence[str]) -> Gateway:
    """The gateway that `NOTIFY_URL` and `EMAILS` name; connects to nothing."""
    if not notify_url and not emails:
        return LogGateway()
    if not notify_url or not emails:
        raise GatewayRefused("NOTIFY_URL and EMAILS must be set together, or neither.")
    if notify_url.lower().startswith(("http://", "https://")):
        return HttpGateway(notify_url, emails)
    # Imported late: Apprise brings 130 services, and most installations need none of them.
    from audio_extract_dagster.notify.apprise_gateway import AppriseGateway  # noqa: PLC0415

    return AppriseGateway(notify_url, emails)
