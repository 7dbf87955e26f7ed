"""`audio-extract plan`: what a backfill would cost."""

from __future__ import annotations

from datetime import date

import click
from rich.console import Console
from rich.table import Table

from audio_extract_dagster.cli.span import span_of_days
from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.composition import forecast_of
from audio_extract_dagster.extraction.forecast import Forecast
from audio_extract_dagster.model import Rates
from audio_extract_dagster.startup import settings_with_services


@click.command("plan")
@span_of_days
def command(first: date, last: date) -> None:
    """Say what extracting a span of days would cost; asks Genesys for counts, changes nothing."""
    settings = settings_with_services()
    days, clock = settings.business_days, SystemClock()
    wanted = days.between(first, last)
    over = [day for day in wanted if days.is_finished(day, clock.now())]
    if ahead := len(wanted) - len(over):
        click.secho(f"Days that are not over yet are left out: {ahead}.", fg="yellow", err=True)
    cost, rates = forecast_of(settings, over, clock)
    _show(cost, rates)


def _show(cost: Forecast, rates: Rates) -> None:
    table = Table("day", "conversations", "agent calls", "API requests", "GiB")
    for day in cost.days:
        figures = (day.conversations, day.agent_calls, day.requests)
        table.add_row(str(day.day), *(f"{n:,}" for n in figures), f"{day.bytes / 2**30:.2f}")
    Console().print(table)
    basis = (
        f"averages of the last {rates.measured_days} extracted days"
        if rates.measured_days
        else "assumed averages: no day has been extracted yet"
    )
    click.echo(
        f"{len(cost.days)} days, {cost.conversations:,} conversations, {cost.agent_calls:,} agent "
        f"calls, {cost.requests:,} API requests = {cost.minutes:,.0f} minutes at "
        f"{cost.requests_per_minute} a minute, {cost.gibibytes:,.1f} GiB ({basis})."
    )
