"""What libpq reads of the environment by itself: `PGSSLMODE`, `PGHOSTADDR`, `PGSERVICE` and more.

It is meant for another server: the embedded one speaks no TLS, and is where its settings say.
"""

from __future__ import annotations

import os
from collections.abc import Mapping


def without_libpq(environment: Mapping[str, str]) -> dict[str, str]:
    """The same without those variables. The project's own begin with `PG_`; libpq's do not."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("PG") or name.startswith("PG_")
    }


def forget_libpq() -> None:
    """Have this process, and the children that it will have, go by the settings alone."""
    for name in os.environ.keys() - without_libpq(os.environ).keys():
        del os.environ[name]
