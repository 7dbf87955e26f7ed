"""Which hosts are this machine."""

from __future__ import annotations

import pytest

from audio_extract_dagster.network.loopback import is_loopback


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost.example.com", False),
        ("10.0.0.1", False),
        ("", False),
        (None, False),
    ],
)
def test_loopback_is_this_machine_and_no_other(host: str | None, here: bool) -> None:
    assert is_loopback(host) is here
