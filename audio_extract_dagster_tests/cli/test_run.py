"""`audio-extract run`: what it does, says and returns."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from audio_extract_dagster.simulator import Simulator, World
from audio_extract_dagster_tests.cli.command_line import CommandLine
from audio_extract_dagster_tests.defs.location import rows
from audio_extract_dagster_tests.defs.surroundings import genesys_variables
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer
from audio_extract_dagster_tests.postgres import Database

DAY = "2024-02-16"


def test_a_day_is_extracted_shown_and_mailed_and_a_second_run_changes_nothing(
    terminal: CommandLine, database: Database, simulator: Simulator, gateway: HttpGatewayServer
) -> None:
    first = terminal.run("run", "--date", DAY)
    downloads = simulator.counters["download"]
    instance = terminal.folder / "data" / "dagster" / "dagster.yaml"
    written = instance.read_text()
    # Development with everything configured changes nothing for the daemon that runs here.
    second = terminal.run("run", "--date", DAY, DEV_MODE="True")

    assert (first.code, first.errors) == (0, "")
    (report,) = rows(database.engine, "daily_report")
    assert first.output.splitlines()[:2] == [
        f"{DAY} INCOMPLETE",
        f"  {report['conversations']} conversations = {report['agent_calls']} agent calls"
        f" + {report['excluded']} excluded",
    ]
    assert f" = {report['stored']} stored + {report['pending']} pending" in first.output
    assert f"port: {database.settings.port}" in written
    assert instance.read_text() == written
    stored = [*(terminal.folder / "data" / "audio" / "2024" / "02" / "16").rglob("*.*")]
    assert len(stored) == report["stored"] == downloads

    assert (second.code, second.errors) == (0, "")
    assert simulator.counters["download"] == downloads
    jobs = rows(database.engine, "extraction_jobs")
    assert [job["status"] for job in jobs] == ["INCOMPLETE", "INCOMPLETE"]
    with database.engine.connect() as connection:
        # What the UI shows.
        runs = connection.execute(text("SELECT run_id, status FROM dagster.runs ORDER BY id"))
        assert [tuple(run) for run in runs] == [(job["run_id"], "SUCCESS") for job in jobs]
    assert len(gateway.received) == 1


def test_a_day_without_calls_imports_nothing_for_frames_and_pictures(
    terminal: CommandLine,
) -> None:
    with Simulator(World(seed=7, calls_per_day=0)) as quiet:
        ran = terminal.run(
            "run", "--date", DAY, **genesys_variables(quiet.url), PYTHONPROFILEIMPORTTIME="1"
        )
    assert ran.code == 0, ran.errors
    imported = {line.rpartition("|")[2].strip() for line in ran.errors.splitlines()}
    assert "dagster" in imported
    assert imported & {"pandas", "numpy", "pyarrow", "matplotlib"} == set()


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ("2024-02-11", "it is a Sunday (EXCLUDED_WEEKDAYS)"),
        ("2024-07-29", "it is a holiday (EXCLUDED_DATES)"),
        ("2023-12-29", "it is before START_DATE (2024-01-01)"),
        ("2999-01-01", "2999-01-01 is not over yet in America/Lima"),
        ("16.02.2024", "does not match the format"),
    ],
)
def test_a_day_that_cannot_be_run_is_refused_before_anything_is_touched(
    nowhere: CommandLine, day: str, why: str
) -> None:
    refused = nowhere.run("run", "--date", day, EXCLUDED_DATES="07-29")

    assert refused.code == 2
    assert why in refused.errors
    assert "Traceback" not in refused.errors
    assert list(nowhere.folder.iterdir()) == []


def test_missing_settings_are_told_together(nowhere: CommandLine) -> None:
    refused = nowhere.run("run", PG_HOST="127.0.0.1", PG_USER="me")

    assert refused.code == 2
    assert [line for line in refused.errors.splitlines() if line.startswith("  - ")] == [
        f"  - {name} is required and not set"
        for name in (
            "PG_PASSWORD",
            "PG_DATABASE",
            "GENESYS_CLOUD_CLIENT_ID",
            "GENESYS_CLOUD_CLIENT_SECRET",
            "GENESYS_QUEUE_ID",
        )
    ]
    assert list(nowhere.folder.iterdir()) == []


def test_wrong_settings_are_told_together_and_never_shown(nowhere: CommandLine) -> None:
    (nowhere.folder / ".env").write_text("BATCH_SIZE=1000\nNOTIFY_URL=https://m.example/k3y\n")

    refused = nowhere.run("run", PG_PORT="s3cret", GENESYS_CLOUD_API_URL="http://s3cret.example")

    assert refused.code == 2
    for name in ("BATCH_SIZE", "PG_PORT", "GENESYS_CLOUD_API_URL", "NOTIFY_URL and EMAILS"):
        assert f"  - {name} must be" in refused.errors
    assert "s3cret" not in refused.errors
    assert "k3y" not in refused.errors


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"PG_PASSWORD": "wr0ng"}, "Check PG_USER, PG_PASSWORD and PG_DATABASE"),
        ({"PG_PORT": "9"}, "Check that it runs and that PG_HOST and PG_PORT are right"),
        ({"PG_DATABASE": "nobody_made_it"}, "Check PG_USER, PG_PASSWORD and PG_DATABASE"),
    ],
    ids=["password", "port", "database"],
)
def test_a_database_that_cannot_be_used_is_told_by_the_setting_and_by_mail(
    terminal: CommandLine, gateway: HttpGatewayServer, wrong: dict[str, str], told: str
) -> None:
    failed = terminal.run("run", "--date", DAY, **wrong)

    assert failed.code == 1
    assert told in failed.errors
    assert "Traceback" not in failed.errors
    assert wrong.get("PG_PASSWORD", "wr0ng") not in failed.errors
    (message,) = gateway.received
    assert "FAILED" in message["subject"]
    assert "the database could not be reached" in message["htmlContent"]


def test_a_gateway_that_cannot_be_used_does_not_hide_how_the_day_went(
    terminal: CommandLine,
) -> None:
    done = terminal.run("run", "--date", DAY, NOTIFY_URL="mailtos://", EMAILS="ana@example.com")

    assert done.code == 0
    assert "30 conversations = 26 agent calls + 4 excluded" in done.output
    assert "The message was not sent" in done.errors


def test_without_a_gateway_the_counts_are_the_message_and_a_log_has_it_whole(
    terminal: CommandLine,
) -> None:
    shown = terminal.run("run", "--date", DAY, NOTIFY_URL=None, EMAILS=None)
    logged = terminal.run(
        "run", "--date", "2024-02-15", NOTIFY_URL=None, EMAILS=None, LOG_LEVEL="ERROR"
    )

    assert (shown.code, shown.errors) == (0, "")
    assert "30 conversations = 26 agent calls + 4 excluded" in shown.output
    assert logged.errors.startswith("Call recordings of 2024-02-15: ")


def test_a_queue_that_is_unknown_fails_the_day_on_the_terminal_and_by_mail(
    terminal: CommandLine, database: Database, gateway: HttpGatewayServer
) -> None:
    unknown = "00000000-0000-4000-8000-00000000dead"

    failed = terminal.run("run", "--date", DAY, GENESYS_QUEUE_ID=unknown)

    assert failed.code == 1
    assert f"{DAY} FAILED" in failed.output
    (job,) = rows(database.engine, "extraction_jobs")
    assert failed.errors == f"Cause: {job['error']}\n"
    assert job["error"].startswith("conversations: ")
    assert unknown in job["error"]
    assert "GENESYS_QUEUE_ID" in job["error"]
    (message,) = gateway.received
    assert "FAILED" in message["subject"]
