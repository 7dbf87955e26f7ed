"""Repeatable chance: the same seed gives the same numbers in every process and Python version."""

from __future__ import annotations

import random


def repeatable(*seed: object) -> random.Random:
    """A generator of its own for each combination of seed parts."""
    # Texts are seeded through SHA-512, not through hash(), which differs between processes.
    return random.Random("/".join(map(str, seed)))  # noqa: S311 - predictable on purpose
