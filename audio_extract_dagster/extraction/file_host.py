"""One GET of a signed link: connections, proxies, redirects, and what a refusal means.

A link is a secret for as long as it lives, so neither errors nor logs show more than its host, and
no header that could identify us goes with it. Trying again is decided in `download.py`.
"""

from __future__ import annotations

import http.client
import logging
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin
from urllib.request import getproxies, proxy_bypass

import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import exceptions as urllib3_errors
from urllib3.util import make_headers, parse_url

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.errors import Never, TryAgain
from audio_extract_dagster.redaction import RedactingFilter, host_of
from audio_extract_dagster.setting_types import is_loopback

_CHUNK_BYTES = 256 * 1024
_REDIRECTS = 3


class LinkExpired(TryAgain):
    """The file host no longer (or not at all) accepts the link: a new one is needed."""

    reason = "link_expired"

    def __init__(self, host: str, status: int) -> None:
        self.status = status
        super().__init__(
            f"{host} refused the link to an audio file with status {status}; ask Genesys Cloud for "
            "a new link (they live 2 to 60 minutes)."
        )


class UnsafeLink(Never):
    """A link that would send audio in the clear, or that is no link."""

    reason = "unsafe_link"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"The link to an audio file on {host} is not https, so it was not followed; plain http "
            "is accepted for this machine only."
        )


class UnknownProxy(Never):
    """The environment names a proxy that cannot be used."""


class TransferBroken(TryAgain):
    """The connection failed or the body did not arrive whole; `reason` is a word for the ledger.

    `timed_out`, `unreachable`, `tls_error`, `proxy_error`, `connection_lost`, `cut_short`,
    `server_error`, `bad_redirect`, `rate_limited`.
    """

    def __init__(self, host: str, reason: str, detail: str) -> None:
        self.reason = reason
        super().__init__(f"An audio file could not be fetched from {host}: {detail}.")


class HostBusy(TransferBroken):
    """The file host asks for patience; `wait_seconds` is None when it does not say how much."""

    def __init__(self, host: str, status: int, wait_seconds: float | None) -> None:
        self.wait_seconds = wait_seconds
        super().__init__(host, "rate_limited", f"it asks to wait (status {status})")


class FileHost:
    """Opens links over connections that threads share: `concurrency` of them to each host."""

    def __init__(
        self, *, concurrency: int, connect_seconds: float, idle_seconds: float, clock: Clock
    ) -> None:
        self._clock = clock
        options: dict[str, Any] = {
            "maxsize": concurrency,
            # More would be opened and thrown away after one use.
            "block": True,
            "retries": False,
            "timeout": urllib3.Timeout(connect=connect_seconds, read=idle_seconds),
            "ssl_context": _trusted(),
            "headers": {"User-Agent": "audio-extract"},
        }
        self._direct = urllib3.PoolManager(**options)
        proxies = getproxies()
        proxy = proxies.get("https") or proxies.get("all")
        self._proxied = _through(proxy, options) if proxy else None
        # urllib3 logs whole URLs.
        logging.getLogger("urllib3.connectionpool").addFilter(_HIDE_LINKS)

    def close(self) -> None:
        """Close the idle connections."""
        self._direct.clear()
        if self._proxied is not None:
            self._proxied.clear()

    @contextmanager
    def open(self, url: str) -> Iterator[Iterator[memoryview]]:
        """The body behind a link, in pieces, each of which is valid until the next one is taken.

        Raises `LinkExpired`, `UnsafeLink`, `TransferBroken` or `HostBusy`, also while the pieces
        are read. The connection is used again only if the body was read to its end.
        """
        with _transfer_errors(host_of(url)):
            response = self._follow(url)
        try:
            yield _pieces(response, host_of(url))
        finally:
            _give_back(response)

    def _follow(self, url: str) -> urllib3.BaseHTTPResponse:
        for _ in range(1 + _REDIRECTS):
            response = self._get(url)
            status, headers = response.status, response.headers
            if status == 200:
                return response
            _give_back(response)
            if status not in (301, 302, 303, 307, 308):
                raise self._refusal(host_of(url), status, headers.get("Retry-After"))
            target = _target(url, headers.get("Location"))
            if _is_https(url) and not _is_https(target):
                raise UnsafeLink(host_of(target))
            url = target
        raise TransferBroken(host_of(url), "bad_redirect", f"more than {_REDIRECTS} redirects")

    def _get(self, url: str) -> urllib3.BaseHTTPResponse:
        host = host_of(url)
        here = is_loopback(host)
        if not _is_https(url) and not (here and url.lower().startswith("http://")):
            raise UnsafeLink(host)
        pools = self._direct
        if self._proxied is not None and not here and not proxy_bypass(host):
            pools = self._proxied
        return pools.request("GET", url, redirect=False, preload_content=False)

    def _refusal(self, host: str, status: int, retry_after: str | None) -> Exception:
        if status == 429 or (status == 503 and retry_after):
            return HostBusy(host, status, self._seconds(retry_after))
        # S3 answers 403 to an expired link, Google Cloud Storage 400, others 401, 404 or 410.
        if 400 <= status < 500 and status != 408:
            return LinkExpired(host, status)
        return TransferBroken(host, "server_error", f"status {status}")

    def _seconds(self, retry_after: str | None) -> float | None:
        """RFC 9110, 10.2.3: a number of seconds or a date."""
        text = (retry_after or "").strip()
        if text.isdecimal():
            return float(text)
        try:
            when = parsedate_to_datetime(text)
        except ValueError:
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=timezone.utc)
        return max(0.0, (when - self._clock.now()).total_seconds())


_HIDE_LINKS = RedactingFilter()


def _is_https(url: str) -> bool:
    return url.lower().startswith("https://")


def _target(url: str, location: str | None) -> str:
    try:
        return urljoin(url, location or "")
    except ValueError:
        raise TransferBroken(host_of(url), "bad_redirect", "redirected to nowhere") from None


def _pieces(response: urllib3.BaseHTTPResponse, host: str) -> Iterator[memoryview]:
    """Read into one piece of memory, past urllib3, which takes new memory for each piece.

    That would be a third of all the processor time that a download costs. Only what somebody on
    the way has compressed goes through urllib3.
    """
    body = _wire_response(response)
    memory = memoryview(bytearray(_CHUNK_BYTES))
    with _transfer_errors(host):
        if "Content-Encoding" in response.headers:
            for piece in response.stream(_CHUNK_BYTES):
                yield memoryview(piece)
            return
        while size := body.readinto(memory):
            yield memory[:size]
        if body.length:
            raise TransferBroken(host, "cut_short", "the body ended too early")


def _wire_response(response: urllib3.BaseHTTPResponse) -> http.client.HTTPResponse:
    """What urllib3 wraps."""
    wrapped: http.client.HTTPResponse = response._original_response  # type: ignore[attr-defined]
    return wrapped


def _give_back(response: urllib3.BaseHTTPResponse) -> None:
    if not _wire_response(response).isclosed():
        # What is left of the body must not be taken for the next answer.
        response.close()
    response.release_conn()


def _trusted() -> ssl.SSLContext:
    """The certificates that the API client trusts, too, plus those of the operating system."""
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    context = ssl.create_default_context()
    if not bundle:
        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    elif Path(bundle).is_dir():
        context.load_verify_locations(capath=bundle)
    else:
        context.load_verify_locations(bundle)
    return context


def _through(proxy: str, options: dict[str, Any]) -> urllib3.ProxyManager:
    parts = parse_url(proxy if "://" in proxy else f"http://{proxy}")
    headers = make_headers(proxy_basic_auth=unquote(parts.auth)) if parts.auth else None
    try:
        return urllib3.ProxyManager(parts.url, proxy_headers=headers, **options)
    except urllib3_errors.ProxySchemeUnknown:
        raise UnknownProxy(
            f"HTTPS_PROXY (or ALL_PROXY) names a proxy of the kind {parts.scheme}://, which is not "
            "supported; use an http:// or https:// proxy, or exempt the file hosts in NO_PROXY."
        ) from None


@contextmanager
def _transfer_errors(host: str) -> Iterator[None]:
    """Turn the network's errors into ours; their own texts may hold the link: they are dropped."""
    try:
        yield
    except urllib3_errors.NewConnectionError:  # which is a TimeoutError, too
        raise TransferBroken(host, "unreachable", "no connection; see network and proxy") from None
    except (urllib3_errors.TimeoutError, TimeoutError):
        raise TransferBroken(host, "timed_out", "it did not answer in time") from None
    except urllib3_errors.ProxyError:
        raise TransferBroken(
            host, "proxy_error", "the proxy that HTTPS_PROXY names did not let the request through"
        ) from None
    except (urllib3_errors.SSLError, ssl.SSLError):
        raise TransferBroken(
            host,
            "tls_error",
            "no trusted TLS connection; if a proxy re-signs traffic, name its certificate in "
            "REQUESTS_CA_BUNDLE",
        ) from None
    except (urllib3_errors.HTTPError, http.client.HTTPException, OSError) as error:
        detail = f"the connection broke ({type(error).__name__})"
        raise TransferBroken(host, "connection_lost", detail) from None
