"""The options `--from D --to D` of the commands that are about a span of days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

import click

_DAY = click.DateTime(["%Y-%m-%d"])


def span_of_days(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options, and calls `command` with `first` and `last` as dates."""

    @click.option("--from", "first", type=_DAY, required=True, help="The first day.")
    @click.option("--to", "last", type=_DAY, required=True, help="The last day, included.")
    @wraps(command)
    def checked(first: datetime, last: datetime, **others: Any) -> None:
        if last < first:
            raise click.UsageError("--to is before --from.")
        command(first=first.date(), last=last.date(), **others)

    return checked
