"""Access tokens: who got one, how long it lives, and how much of its minute is used up."""

from __future__ import annotations

import dataclasses
import random
import threading

from audio_extract_dagster.clock import Clock

WINDOW_SECONDS = 60.0


@dataclasses.dataclass(slots=True)
class Token:
    value: str
    client_id: str
    expires: float  # by the clock's monotonic time
    revoked: bool = False
    window_start: float = 0.0
    used: int = 0


class Tokens:
    """The tokens of all clients. Safe for threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, Token] = {}
        self._random = random.SystemRandom()

    def issue(self, client_id: str, seconds: float) -> Token:
        value = f"{self._random.getrandbits(256):064x}"
        token = Token(value, client_id, self._clock.monotonic() + seconds)
        with self._lock:
            self._tokens[value] = token
        return token

    def get(self, value: str) -> Token | None:
        with self._lock:
            return self._tokens.get(value)

    def has_expired(self, token: Token) -> bool:
        return self._clock.monotonic() >= token.expires

    def revoke(self, value: str) -> None:
        with self._lock:
            if value in self._tokens:
                self._tokens[value].revoked = True

    def revoke_all(self) -> int:
        """Void every token; returns how many there were."""
        with self._lock:
            live = [token for token in self._tokens.values() if not token.revoked]
            for token in live:
                token.revoked = True
            return len(live)

    def count(self, token: Token) -> tuple[int, float]:
        """Count a request: how many this window has seen, and the seconds until the next window."""
        with self._lock:
            now = self._clock.monotonic()
            if token.used == 0 or now - token.window_start >= WINDOW_SECONDS:
                token.window_start, token.used = now, 0
            token.used += 1
            return token.used, token.window_start + WINDOW_SECONDS - now
