"""What can go wrong with a call of the Genesys Cloud API, told apart by what to do about it.

How an answer becomes one of these is in `answers.py`. They hold no body, no header and no query
of a URL: a call's method and path, the status, Genesys's own code for the fault and the correlation
id that Genesys's support asks for are enough to act on, and safe to log and to mail.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, TypeVar

from audio_extract_dagster.errors import AudioExtractError, Never, NotYet, TryAgain

E = TypeVar("E", bound="GenesysError")


class GenesysError(AudioExtractError):
    """A call of the Genesys Cloud API that gave no answer that can be used.

    `call` is the method and path; `status`, `code` and `correlation_id` are None where no answer
    came or it did not say. `untouched` is True where Genesys surely did nothing with the request;
    `retry_after` holds the seconds that Genesys asked to wait. `tries` and `waited` (seconds) tell
    what was spent on the call before the error was raised: that is known to `patience.py`.
    """

    advice: ClassVar[str] = ""

    def __init__(
        self,
        what: str,
        call: str,
        *,
        status: int | None = None,
        code: str | None = None,
        correlation_id: str | None = None,
        untouched: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, call)
        self.what = what
        self.call = call
        self.status = status
        self.code = code
        self.correlation_id = correlation_id
        self.untouched = untouched
        self.retry_after = retry_after
        self.tries = 1
        self.waited = 0.0

    def as_a(self, kind: type[E], what: str) -> E:
        """The same call and answer, seen as another kind of error."""
        error = kind(what, self.call)
        vars(error).update(vars(self), what=what)
        return error

    @property
    def summary(self) -> str:
        """What happened to which call, without the advice."""
        facts = []
        if self.status is not None:
            facts.append(f"status {self.status}")
        if self.code:
            facts.append(f"code {self.code}")
        if self.correlation_id:
            facts.append(f"correlation id {self.correlation_id}")
        if self.tries > 1:
            facts.append(f"{self.tries} tries")
        if self.waited:
            facts.append(f"{self.waited:.0f} s waited")
        text = f"Genesys Cloud, {self.call}: {self.what}"
        return f"{text} ({', '.join(facts)})" if facts else text

    def __str__(self) -> str:
        return f"{self.summary}. {self.advice}".rstrip()


class Unavailable(GenesysError, TryAgain):
    """The network or the server failed: no connection, a reset, a time-out, 408 or 5xx."""

    advice = (
        "The same call may succeed later. If it keeps failing, check the network and the proxy, "
        "GENESYS_CLOUD_REGION, and Genesys Cloud's status page."
    )


class UnreadableAnswer(GenesysError, TryAgain):
    """Success by its status, but the body is not the JSON that the call is documented to give."""

    advice = (
        "The same call may succeed later. If it keeps failing, check that nothing between here and "
        "Genesys Cloud (a proxy, a login page) answers in its place."
    )


class SubmissionUncertain(GenesysError, TryAgain):
    """A batch was asked for and no answer tells whether Genesys took the order.

    There is no way to list batch jobs, so a job may be running whose id nobody knows. The client
    never repeats such a request: whoever asks again accepts that the same audio may be prepared
    twice.
    """

    advice = "A job without a known id may exist; plan the batch again under a new number."


class RateLimited(GenesysError, NotYet):
    """Genesys asks to wait, and the call does not: too long at once, or too long all together.

    `retry_at` is when the wait that Genesys asked for is over.
    """

    advice = (
        "Start again after that time. If it happens often, lower GENESYS_REQUESTS_PER_MINUTE or "
        "find out what else uses the same OAuth client."
    )

    retry_at: datetime | None = None

    @property
    def summary(self) -> str:
        text = super().summary
        return f"{text}, not before {self.retry_at:%Y-%m-%d %H:%M:%S %Z}" if self.retry_at else text


class LoginRefused(GenesysError, Never):
    """The OAuth client's id or secret is not accepted, or a token it was just given is not."""

    advice = (
        "Check GENESYS_CLOUD_CLIENT_ID and GENESYS_CLOUD_CLIENT_SECRET, that the OAuth client is "
        "active and of the grant type Client Credentials, and that GENESYS_CLOUD_REGION is the "
        "region of its organization."
    )


class NotPermitted(GenesysError, Never):
    """403: the OAuth client's roles or divisions do not allow the call.

    `permissions` are those that Genesys names as missing (any one of them is usually enough).
    """

    advice = (
        "Give the OAuth client of GENESYS_CLOUD_CLIENT_ID a role with the permission that this "
        "call needs, in every division whose calls are wanted."
    )

    def __init__(
        self, what: str, call: str, *, permissions: tuple[str, ...] = (), **facts: Any
    ) -> None:
        super().__init__(what, call, **facts)
        self.permissions = permissions


class BadRequest(GenesysError, Never):
    """Genesys Cloud will not take this request, however often it is sent: 3xx, 400, 405, 413, …"""

    advice = (
        "Check GENESYS_CLOUD_REGION (or GENESYS_CLOUD_LOGIN_URL and GENESYS_CLOUD_API_URL) and the "
        "values that the call was made with; Genesys support can look up the correlation id."
    )


class NotFound(GenesysError, Never):
    """404: unknown, deleted, of another OAuth client, or in a division this client cannot see."""

    advice = "It may be deleted, or in a division that the OAuth client's roles do not cover."


class CertificateNotTrusted(GenesysError, Never):
    """The server's TLS certificate is not signed by anybody whom this machine trusts."""

    advice = (
        "If a proxy opens TLS connections on their way out, set REQUESTS_CA_BUNDLE to the file "
        "with its certificate; also check this machine's date."
    )
