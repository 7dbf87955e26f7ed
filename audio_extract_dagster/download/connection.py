"""A connection to a file host: one request at a time, through libcurl.

What may be asked for and what an answer means is decided in `file_host.py`. Here the network's
failures become `TransferBroken`; libcurl's own texts may hold the link: they are dropped.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

import pycurl

from audio_extract_dagster.download.errors import TransferBroken
from audio_extract_dagster.download.policy import DownloadPolicy
from audio_extract_dagster.network.certificates import Trust
from audio_extract_dagster.redaction import host_of

# What libcurl takes from a socket at once. It hands on pieces of 16 KiB: they are put together to
# pieces of this size, so that there is little to do for each.
_PIECE_BYTES = 512 * 1024
# Whatever else a link holds (a blank, an umlaut) is quoted.
_MAY_BE_IN_A_LINK = "%/:=&?~#+!$,;'@()*[]"

_PROXY_FAILED = (pycurl.E_COULDNT_RESOLVE_PROXY, pycurl.E_COULDNT_CONNECT)
_UNREACHABLE = (pycurl.E_COULDNT_RESOLVE_HOST, pycurl.E_COULDNT_CONNECT)
_NOT_TRUSTED = (
    pycurl.E_SSL_CONNECT_ERROR,
    pycurl.E_PEER_FAILED_VERIFICATION,
    pycurl.E_SSL_CACERT_BADFILE,
    pycurl.E_SSL_CERTPROBLEM,
    pycurl.E_SSL_CIPHER,
    pycurl.E_SSL_ISSUER_ERROR,
)


class Answer(NamedTuple):
    """What a server said, its body apart."""

    status: int
    location: str | None
    """Where a redirect leads, as a whole URL."""
    retry_after: float | None
    """Seconds."""


class Connection:
    """Keeps its connection for the next request. For one thread at a time."""

    def __init__(self, trust: Trust, policy: DownloadPolicy) -> None:
        self._policy = policy
        self._curl = curl = pycurl.Curl()
        self._body = _Body()
        # No function of ours is called but for the body: with many threads, each call waits for its
        # turn, and those for headers and progress cost more than all else.
        options = {
            pycurl.NOSIGNAL: 1,  # signals are for programs without threads
            pycurl.BUFFERSIZE: _PIECE_BYTES,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
            pycurl.FOLLOWLOCATION: 0,
            pycurl.FAILONERROR: 1,  # the body of a refusal is not wanted
            pycurl.CONNECTTIMEOUT_MS: round(policy.connect_seconds * 1000),
            pycurl.LOW_SPEED_LIMIT: policy.slowest_bytes_per_second,
            pycurl.LOW_SPEED_TIME: math.ceil(policy.idle_seconds),
            pycurl.USERAGENT: "audio-extract",
            pycurl.HTTPHEADER: ["Accept:"],
            # Not asked for, but if somebody on the way has compressed the body, it is undone.
            pycurl.ACCEPT_ENCODING: "identity",
            pycurl.SSLVERSION: pycurl.SSLVERSION_TLSv1_2,  # at least
            pycurl.CAINFO_BLOB: trust.pem,
            pycurl.PROXY_CAINFO_BLOB: trust.pem,
            pycurl.NOPROXY: "",  # whether a proxy is used is not for libcurl to decide
            pycurl.WRITEFUNCTION: self._body.take,
        }
        if trust.folder:
            options |= {pycurl.CAPATH: trust.folder, pycurl.PROXY_CAPATH: trust.folder}
        for option, value in options.items():
            curl.setopt(option, value)

    def close(self) -> None:
        """Close the connection."""
        self._curl.close()

    def get(self, url: str, proxy: str | None, write: Callable[[memoryview], object]) -> Answer:
        """Ask for `url`; `write` gets the body of a 200, in pieces that are gone when it returns.

        Raises `TransferBroken`, and whatever `write` raises.
        """
        curl, body = self._curl, self._body
        body.begin(write)
        curl.setopt(pycurl.URL, quote(url, safe=_MAY_BE_IN_A_LINK))
        curl.setopt(pycurl.PROXY, proxy or "")
        try:
            curl.perform()
            if self._status() == 200:
                body.end()
        except pycurl.error as error:
            if body.failure is not None:
                raise body.failure from None
            if self._status() in (0, 200) or self._refused_by_proxy():
                raise self._broken(host_of(url), int(error.args[0]), proxy) from None
            # An answer that is not the file counts, however its body ends.
        finally:
            body.drop()
        # What a redirect with a long body has written cannot be taken back: it leads nowhere.
        location = None if body.begun else curl.getinfo(pycurl.REDIRECT_URL)
        return Answer(self._status(), location, curl.getinfo(pycurl.RETRY_AFTER) or None)

    def _status(self) -> int:
        status: int = self._curl.getinfo(pycurl.RESPONSE_CODE)
        return status

    def _broken(self, host: str, code: int, proxy: str | None) -> TransferBroken:
        if code == pycurl.E_OPERATION_TIMEDOUT:
            return self._timed_out(host)
        if proxy and (code in _PROXY_FAILED or self._refused_by_proxy()):
            return TransferBroken(
                host,
                "proxy_error",
                "the proxy that HTTPS_PROXY names did not let the request through",
            )
        if code in _UNREACHABLE:
            return TransferBroken(host, "unreachable", "no connection; see network and proxy")
        if code in _NOT_TRUSTED:
            return TransferBroken(
                host,
                "tls_error",
                "no trusted TLS connection; if a proxy re-signs traffic, name its certificate in "
                "REQUESTS_CA_BUNDLE",
            )
        announced = self._curl.getinfo(pycurl.CONTENT_LENGTH_DOWNLOAD_T) >= 0
        if code == pycurl.E_PARTIAL_FILE and announced:
            return TransferBroken(host, "cut_short", "the body ended too early")
        return TransferBroken(
            host, "connection_lost", f"the connection broke (libcurl's error {code})"
        )

    def _timed_out(self, host: str) -> TransferBroken:
        detail = "it did not answer in time"
        if self._status() != 0:
            slowest = f"{self._policy.slowest_bytes_per_second:,} bytes a second"
            detail = f"less than {slowest} came for {math.ceil(self._policy.idle_seconds)} s"
        return TransferBroken(host, "timed_out", detail)

    def _refused_by_proxy(self) -> bool:
        answer = self._curl.getinfo(pycurl.HTTP_CONNECTCODE)
        return answer != 0 and not 200 <= answer < 300


class _Body(io.RawIOBase):
    """Puts the pieces of a body together, for one body after the other in the same memory.

    New memory for each would be cleared by the kernel first, which takes as long as the transfer.
    The standard library's buffer does it without a line of Python for each piece.
    """

    def __init__(self) -> None:
        self.begun = False
        """Whether something of the body has been handed on."""
        self.failure: BaseException | None = None
        """What was raised by whom it was handed to; what came after it was dropped."""
        self._hand_on: Callable[[memoryview], object] | None = None
        self._pieces = io.BufferedWriter(self, _PIECE_BYTES)
        self.take = self._pieces.write

    def begin(self, write: Callable[[memoryview], object]) -> None:
        """The pieces that come from now on are another body, for `write`."""
        self.begun, self.failure, self._hand_on = False, None, write

    def end(self) -> None:
        """Hand on what is waiting; raises what handing on raised, now or before."""
        self._pieces.flush()
        if self.failure is not None:
            raise self.failure

    def drop(self) -> None:
        """Forget what is waiting. The buffer can only be emptied by a flush, here to nobody."""
        self._hand_on = None
        self._pieces.flush()

    def writable(self) -> bool:
        return True

    def write(self, piece: Any, /) -> int:
        """Called by the buffer, when it is full or flushed, with a view of its own memory."""
        if self._hand_on is not None and self.failure is None:
            self.begun = True
            try:
                self._hand_on(piece)
            except BaseException as error:  # libcurl would only print it
                self.failure = error
        return len(piece)
