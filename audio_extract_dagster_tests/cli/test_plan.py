"""`audio-extract plan`: what a backfill would cost, without doing anything of it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from audio_extract_dagster.database.tables import metadata
from audio_extract_dagster.simulator import Simulator
from audio_extract_dagster_tests.cli.command_line import CommandLine, Finished
from audio_extract_dagster_tests.postgres import Database, Server

DAY = "2024-02-16"
"""A Friday."""


def rows_by_table(database: Database) -> dict[str, int]:
    """How many rows there are; not of the budget, from which each request is taken."""
    tables = [table for name, table in metadata.tables.items() if name != "request_budget"]
    with database.engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables
        }


def table_of(planned: Finished) -> dict[str, list[str]]:
    """The figures of each day."""
    cells = [re.findall(r"[\d,.-]+", line) for line in planned.output.splitlines()[:-1]]
    return {row[0]: row[1:] for row in cells if row and re.fullmatch(r"[\d-]{10}", row[0])}


def summary(planned: Finished) -> dict[str, float]:
    """The figures of the last line, by what they count."""
    line = planned.output.replace("\n", " ").replace(",", "")
    counted = re.findall(
        r"([\d.]+) (days|conversations|agent calls|API requests|minutes|GiB)", line
    )
    return {name: float(number) for number, name in counted}


def test_a_span_of_days_is_forecast_and_nothing_is_changed(
    terminal: CommandLine, database: Database, simulator: Simulator
) -> None:
    before = rows_by_table(database)

    planned = terminal.run("plan", "--from", DAY, "--to", "2024-02-19")

    assert (planned.code, planned.errors) == (0, "")
    days = table_of(planned)
    assert list(days) == [DAY, "2024-02-17", "2024-02-19"]  # no Sunday
    totals = summary(planned)
    assert totals["days"] == 3
    for column, name in enumerate(("conversations", "agent calls", "API requests")):
        assert totals[name] == sum(int(figures[column]) for figures in days.values()) > 0
    assert "assumed averages: no day has been extracted yet" in planned.output
    assert simulator.counters["details_query"] == 3
    assert set(simulator.counters.operations) == {"token", "details_query"}
    assert rows_by_table(database) == before
    assert list(terminal.folder.iterdir()) == []


def test_what_earlier_days_needed_is_what_a_day_will_need(
    terminal: CommandLine, database: Database
) -> None:
    assert terminal.run("run", "--date", DAY).code == 0
    before = rows_by_table(database)

    planned = terminal.run("plan", "--from", DAY, "--to", DAY)

    assert planned.code == 0
    assert "averages of the last 1 extracted days" in planned.output.replace("\n", " ")
    assert rows_by_table(database) == before


def test_a_span_without_a_working_day_costs_nothing(
    terminal: CommandLine, simulator: Simulator
) -> None:
    planned = terminal.run("plan", "--from", "2024-02-18", "--to", "2024-02-18")
    assert planned.code == 0
    assert summary(planned)["API requests"] == 0
    assert not simulator.counters.operations


def test_days_that_are_not_over_are_left_out(terminal: CommandLine, simulator: Simulator) -> None:
    planned = terminal.run("plan", "--from", "2999-01-01", "--to", "2999-01-03")
    assert planned.code == 0
    assert planned.errors == "Days that are not over yet are left out: 3.\n"
    assert summary(planned)["days"] == 0
    assert not simulator.counters.operations


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "2024-02-17", "--to", DAY), "--to is before --from."),
        (("--to", DAY), "Missing option '--from'"),
    ],
    ids=["backwards", "half a span"],
)
def test_what_it_does_not_understand(
    terminal: CommandLine, arguments: tuple[str, ...], told: str
) -> None:
    refused = terminal.run("plan", *arguments)
    assert refused.code == 2
    assert told in refused.errors


def test_what_is_missing_is_told(nowhere: CommandLine) -> None:
    refused = nowhere.run("plan", "--from", DAY, "--to", DAY)
    assert refused.code == 1
    assert "GENESYS_QUEUE_ID is required and not set" in refused.errors
    assert "Traceback" not in refused.errors


def test_without_tables_it_says_how_to_make_them(
    terminal: CommandLine, postgres_server: Server
) -> None:
    with postgres_server.database("template0") as empty:
        failed = terminal.run(
            "plan", "--from", DAY, "--to", DAY, PG_DATABASE=empty.settings.database
        )
    assert failed.code == 1
    assert "audio-extract migrate" in failed.errors
    assert "Traceback" not in failed.errors


def test_a_genesys_that_does_not_answer_is_told(
    terminal: CommandLine, simulator: Simulator
) -> None:
    simulator.switches.missing_permissions = ("details_query",)
    failed = terminal.run("plan", "--from", DAY, "--to", DAY)
    assert failed.code == 1
    assert "Traceback" not in failed.errors
