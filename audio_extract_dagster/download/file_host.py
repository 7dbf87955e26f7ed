"""One GET of a signed link: where it may lead, redirects, proxies, and what a refusal means.

A link is a secret for as long as it lives, so neither errors nor logs show more than its host, and
no header that could identify us goes with it. What goes over the network is in `connection.py`;
trying again is decided in `downloader.py`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from audio_extract_dagster.download.connection import Connection
from audio_extract_dagster.download.errors import (
    HostBusy,
    LinkExpired,
    TransferBroken,
    UnsafeLink,
)
from audio_extract_dagster.download.policy import DownloadPolicy
from audio_extract_dagster.network.certificates import Trust, trusted_certificates
from audio_extract_dagster.network.loopback import is_loopback
from audio_extract_dagster.network.proxies import Proxies
from audio_extract_dagster.redaction import host_of

_REDIRECTS = 3


class FileHost:
    """Fetches links over connections that threads share: as many as there are threads at once."""

    def __init__(self, policy: DownloadPolicy) -> None:
        self._policy = policy
        self._trust: Trust | None = None
        self._reading_trust = threading.Lock()
        self._proxies = Proxies()
        # Those not in use. The last one used is the first one taken: it most probably still lives.
        self._idle: deque[Connection] = deque()

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def receive(self, url: str, write: Callable[[memoryview], object]) -> None:
        """Hand the body behind a link to `write`, in pieces that are gone when it returns.

        Raises `LinkExpired`, `UnsafeLink`, `TransferBroken` or `HostBusy`, also after some pieces,
        and whatever `write` raises.
        """
        connection = self._take()
        try:
            for _ in range(1 + _REDIRECTS):
                answer = connection.get(url, self._way_to(url), write)
                if answer.status == 200:
                    return
                if answer.status not in (301, 302, 303, 307, 308):
                    raise _refusal(host_of(url), answer.status, answer.retry_after)
                if answer.location is None:
                    raise TransferBroken(host_of(url), "bad_redirect", "redirected to nowhere")
                if _is_https(url) and not _is_https(answer.location):
                    raise UnsafeLink(host_of(answer.location))
                url = answer.location
        finally:
            self._idle.append(connection)
        raise TransferBroken(host_of(url), "bad_redirect", f"more than {_REDIRECTS} redirects")

    def _take(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return Connection(self._trusted(), self._policy)

    def _trusted(self) -> Trust:
        """Read once, and only when there is a file to fetch: it costs 50 ms."""
        with self._reading_trust:
            if self._trust is None:
                self._trust = trusted_certificates()
            return self._trust

    def _way_to(self, url: str) -> str | None:
        """The proxy to use, None for none; raises `UnsafeLink` if the link may not be followed."""
        if not _is_https(url):
            host = host_of(url)
            if not (url.lower().startswith("http://") and is_loopback(host)):
                raise UnsafeLink(host)
        return self._proxies.for_url(url)


def _refusal(host: str, status: int, retry_after: float | None) -> Exception:
    if status == 429 or (status == 503 and retry_after):
        return HostBusy(host, status, retry_after)
    # S3 answers 403 to an expired link, Google Cloud Storage 400, others 401, 404 or 410.
    if 400 <= status < 500 and status != 408:
        return LinkExpired(host, status)
    return TransferBroken(host, "server_error", f"status {status}")


def _is_https(url: str) -> bool:
    return url.lower().startswith("https://")
