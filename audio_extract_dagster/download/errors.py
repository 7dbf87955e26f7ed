"""Why the file behind a signed link could not be had, by what can be done about it.

A link is a secret for as long as it lives: none of these shows more of it than its host.
"""

from __future__ import annotations

from audio_extract_dagster.errors import Never, TryAgain


class LinkExpired(TryAgain):
    """The file host no longer (or not at all) accepts the link: a new one is needed."""

    def __init__(self, host: str, status: int) -> None:
        super().__init__(
            f"{host} refused the link to an audio file with status {status}; ask Genesys Cloud for "
            "a new link (they live 2 to 60 minutes)."
        )


class UnsafeLink(Never):
    """A link that would send audio in the clear, or that is no link."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"The link to an audio file on {host} is not https, so it was not followed; plain http "
            "is accepted for this machine only."
        )


class TransferBroken(TryAgain):
    """The connection failed or the body did not arrive whole; `reason` is a word for the log.

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


class WrongBody(TryAgain):
    """What the link gave is no whole audio file; `reason` as in `NotAudio`.

    Another try may bring the audio: an error page in its place is the usual cause.
    """

    def __init__(self, host: str, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{host} gave something that is not a whole audio file ({reason}).")
