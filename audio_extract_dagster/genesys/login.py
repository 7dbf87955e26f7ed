"""The access token: OAuth client credentials, renewed in time, by one thread for all.

This grant has no refresh token: a new token is a new login. Repeating a login after a fault or a
429 is the exchange's business, as for every other call.
"""

from __future__ import annotations

import base64
import threading

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.genesys.errors import BadRequest, LoginRefused, NotPermitted
from audio_extract_dagster.genesys.exchange import Exchange
from audio_extract_dagster.genesys.transport import Request, Transport
from audio_extract_dagster.genesys.wire import read_token

_REQUEST = Request(
    operation="token",
    method="POST",
    path="/oauth/token",
    body=b"grant_type=client_credentials",
    content_type="application/x-www-form-urlencoded",
)


class ClientCredentials:
    """The id and secret of an OAuth client, as the login wants them."""

    def __init__(self, client_id: str, client_secret: str) -> None:
        pair = f"{client_id}:{client_secret}".encode()
        self._header = "Basic " + base64.b64encode(pair).decode()

    def header(self) -> str:
        return self._header

    def renew(self, refused: str) -> bool:  # noqa: ARG002 - there is never another one
        return False


class Login:
    """The header of every API call. Thread-safe: whoever needs a token first gets it for all."""

    def __init__(
        self,
        exchange: Exchange,
        transport: Transport,
        credentials: ClientCredentials,
        clock: Clock,
        token_share: float,
    ) -> None:
        self._exchange = exchange
        self._transport = transport
        self._credentials = credentials
        self._clock = clock
        self._token_share = token_share
        self._lock = threading.Lock()
        self._header = ""
        self._renew_at = 0.0

    def header(self) -> str:
        with self._lock:
            if not self._header or self._clock.monotonic() >= self._renew_at:
                self._log_in()
            return self._header

    def renew(self, refused: str) -> bool:
        with self._lock:
            if self._header == refused:  # else another thread was quicker
                self._log_in()
            return True

    def _log_in(self) -> None:
        """Raises LoginRefused whether the login says so with 400, 401 or 403."""
        asked = self._clock.monotonic()
        try:
            token = self._exchange.call(_REQUEST, self._transport, self._credentials, read_token)
        except (BadRequest, NotPermitted) as error:
            if error.status not in (400, 403):
                raise
            raise error.as_a(LoginRefused, "the login is refused") from None
        self._header = f"Bearer {token.value}"
        self._renew_at = asked + token.lifetime * self._token_share
