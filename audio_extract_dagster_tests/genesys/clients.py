"""Clients as the tests here make them."""

from __future__ import annotations

import random
from collections.abc import Callable

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.genesys import DEFAULT_POLICY, GenesysClient, LocalBudget, RetryPolicy

ClientMaker = Callable[..., GenesysClient]
"""What the fixture `make_client` is."""

CLIENT_ID = "client-id"
CLIENT_SECRET = "s3cret-of-the-client"


def new_client(
    login_url: str,
    api_url: str,
    clock: Clock,
    *,
    secret: str = CLIENT_SECRET,
    policy: RetryPolicy = DEFAULT_POLICY,
    per_minute: int = 240,
) -> GenesysClient:
    """A client whose pauses are the same in every run."""
    return GenesysClient(
        login_url,
        api_url,
        CLIENT_ID,
        secret,
        budget=LocalBudget(per_minute, clock),
        clock=clock,
        policy=policy,
        rng=random.Random(7),
    )
