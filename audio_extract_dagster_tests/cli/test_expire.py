"""`audio-extract expire`: what it says and returns; what goes is tested elsewhere."""

from __future__ import annotations

from datetime import date

from audio_extract_dagster.database.locks import day_lock
from audio_extract_dagster_tests.cli.command_line import CommandLine
from audio_extract_dagster_tests.defs.location import rows
from audio_extract_dagster_tests.postgres import Database

DAY = "2024-02-16"


def test_an_old_day_goes_and_nobody_is_told_again(
    terminal: CommandLine, database: Database
) -> None:
    folder = terminal.folder / "data" / "audio"
    assert terminal.run("run", "--date", DAY).code == 0
    report, messages = (rows(database.engine, t) for t in ("daily_report", "notifications"))
    stored = report[0]["stored"]
    assert len([path for path in folder.rglob("*") if path.is_file()]) == stored > 0

    elsewhere = terminal.run("expire", RETENTION_DAYS="30", AUDIO_STORAGE_URI="another")
    assert elsewhere.code == 1
    assert elsewhere.output.startswith(f"{DAY}  0 files, ")
    assert f"{stored} files of 1 days are in another storage" in elsewhere.errors
    with day_lock(database.engine, database.settings.schema, date.fromisoformat(DAY)):
        busy = terminal.run("expire", RETENTION_DAYS="30")
    assert (busy.code, busy.output) == (1, f"{DAY}  left to the next pass: a run works on it\n")
    assert f"Runs work on {DAY}" in busy.errors

    gone = terminal.run("expire", RETENTION_DAYS="30")
    assert (gone.code, gone.errors) == (0, "")
    assert gone.output.startswith(f"{DAY}  {stored} files, ")
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    reasons = [row["reason"] for row in rows(database.engine, "audio_records")]
    assert reasons.count("retention") == stored
    assert rows(database.engine, "daily_report") == report
    assert rows(database.engine, "notifications") == messages
    assert terminal.run("verify", "--from", DAY, "--to", DAY).code == 0

    again = terminal.run("expire", RETENTION_DAYS="30")
    assert (again.code, len(again.output.splitlines())) == (0, 1)


def test_without_a_period_nothing_is_deleted(terminal: CommandLine) -> None:
    refused = terminal.run("expire")
    assert refused.code == 2
    assert "RETENTION_DAYS is not set" in refused.errors
