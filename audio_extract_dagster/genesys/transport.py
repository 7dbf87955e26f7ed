"""One request over the wire: connection, time-outs, proxy, certificates. No repeats, no meaning.

What an answer means is in `answers.py`, when to ask again in `patience.py`. Every fault of the
network leaves here as an error of `errors.py`; the text of the library's own exceptions (which may
hold a proxy's password) stays inside.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from audio_extract_dagster.errors import Never
from audio_extract_dagster.genesys.errors import (
    CertificateNotTrusted,
    GenesysError,
    Unavailable,
    UnreadableAnswer,
)
from audio_extract_dagster.genesys.policy import RetryPolicy
from audio_extract_dagster.network.base_url import checked_base_url
from audio_extract_dagster.network.certificates import named_certificates
from audio_extract_dagster.network.proxies import Proxies


@dataclass(frozen=True)
class Request:
    """One call: what to send where, and the `operation` it is counted under.

    `path` is percent-encoded and has no query. `once`: the call is not idempotent, so it is only
    ever repeated when Genesys surely did not act on it.
    """

    operation: str
    method: str
    path: str
    body: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    once: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Reply:
    """An answer as it came; `headers` are looked up without regard to case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Transport:
    """Requests to one base URL, whose name among the settings is `setting`; thread-safe.

    Raises Never, naming `setting`, if a token must not go there.
    """

    def __init__(self, url: str, setting: str, policy: RetryPolicy) -> None:
        self._base = _checked(url, setting)
        self._timeout = (policy.connect_timeout, policy.read_timeout)
        self._proxies = Proxies().for_requests(self._base)
        self._session = self._new_session()

    def send(self, request: Request, authorization: str) -> Reply:
        """Raises Unavailable, UnreadableAnswer or CertificateNotTrusted when no answer came."""
        try:
            if not request.once:
                return self._send(self._session, request, authorization)
            # A kept connection may be one that the server is just closing, and a reset after
            # sending cannot be told from a reset after acting: such a request gets a fresh one.
            with self._new_session() as session:
                return self._send(session, request, authorization)
        except (OSError, urllib3.exceptions.HTTPError) as error:
            raise _fault(request, error) from None

    def close(self) -> None:
        self._session.close()

    def _send(self, session: requests.Session, request: Request, authorization: str) -> Reply:
        headers = {"Authorization": authorization, "Accept": "application/json"}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        response = session.request(
            request.method,
            self._base + request.path,
            data=request.body,
            headers=headers,
            proxies=self._proxies,
            timeout=self._timeout,
            allow_redirects=False,  # the token is for this host alone
        )
        return Reply(response.status_code, response.headers, response.content)

    def _new_session(self) -> requests.Session:
        """A session that takes proxy and certificates from the environment, and nothing else.

        Left to itself, `requests` reads the environment anew for each request (15 % of its time)
        and lets a `.netrc` entry for the host replace our Authorization header.
        """
        session = requests.Session()
        session.trust_env = False
        session.verify = named_certificates() or True
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers["User-Agent"] = "audio-extract"
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=0, pool_maxsize=32))
        return session


def _checked(url: str, setting: str) -> str:
    try:
        return checked_base_url(url)
    except ValueError as error:
        raise Never(f"{setting} {error}.") from None


def _fault(request: Request, error: Exception) -> GenesysError:
    causes = list(_causes(error))
    detail = type(causes[-1]).__name__
    call = str(request)
    if _has(causes, ssl.SSLCertVerificationError):
        return CertificateNotTrusted("its certificate is not trusted", call)
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return UnreadableAnswer("the answer could not be decompressed", call)
    if _has(causes, urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError):
        return Unavailable(f"no connection could be made ({detail})", call, untouched=True)
    if _has(causes, urllib3.exceptions.TimeoutError, TimeoutError):
        return Unavailable("no answer in time", call)
    return Unavailable(f"the connection broke ({detail})", call)


def _has(causes: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(cause, kinds) for cause in causes)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what lies beneath: `requests` and urllib3 wrap each other in three ways."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        cause = queue.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            queue += [*cause.args, getattr(cause, "reason", None), cause.__cause__]
