"""`audio-extract verify`: what it says and returns; what it compares is tested elsewhere."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from audio_extract_dagster.database.locks import day_lock
from audio_extract_dagster_tests.cli.command_line import CommandLine
from audio_extract_dagster_tests.defs.location import rows
from audio_extract_dagster_tests.postgres import Database, Server
from audio_extract_dagster_tests.scenarios.ending import read_state

DAY = "2024-02-16"
ONE_DAY = ("--from", DAY, "--to", DAY)


def test_a_lost_file_is_found_marked_and_fetched_again(
    terminal: CommandLine, database: Database
) -> None:
    folder = terminal.folder / "data" / "audio"
    assert terminal.run("run", "--date", DAY).code == 0
    sound = terminal.run("verify", *ONE_DAY, "--deep")
    assert (sound.code, sound.errors) == (0, "")
    assert sound.output == "1 days verified, 0 differences.\n"

    sound_day = read_state(database.engine, folder)
    lost = next(iter(sound_day.files))
    (folder / lost).unlink()
    noticed = terminal.run("run", "--date", DAY)
    assert noticed.code == 0
    assert "Check stored_files_exist: 1 stored files are gone: file://" in noticed.output
    before = rows(database.engine, "audio_records")
    damaged = terminal.run("verify", *ONE_DAY)
    assert (damaged.code, damaged.errors) == (1, "")
    finding = f"{DAY}  a row without its file: {lost}"
    totals = ["1 days verified, 1 differences.", "       1 a row without its file"]
    hint = "With --repair what is lost is marked; running its day again then fetches it."
    assert damaged.output.splitlines() == [finding, *totals, hint]
    assert rows(database.engine, "audio_records") == before  # only looked

    marked = terminal.run("verify", *ONE_DAY, "--repair")
    assert marked.code == 1
    assert marked.output.splitlines() == [
        finding,
        f"{DAY}  1 recordings marked: run {DAY} again to fetch them.",
        *totals,
    ]
    assert terminal.run("run", "--date", DAY).code == 0
    assert terminal.run("verify", *ONE_DAY).code == 0
    assert read_state(database.engine, folder) == sound_day


def test_what_only_genesys_knows_is_found_by_asking_it(
    terminal: CommandLine, database: Database
) -> None:
    assert terminal.run("run", "--date", DAY).code == 0
    with database.engine.begin() as connection:
        uri = connection.execute(
            text(
                "DELETE FROM audio_records WHERE (conversation_id, recording_id, part) ="
                " (SELECT conversation_id, recording_id, part FROM audio_records"
                "   WHERE status = 'STORED' AND part = 0 LIMIT 1) RETURNING uri"
            )
        ).scalar_one()
    Path(uri.removeprefix("file://")).unlink()

    found = terminal.run("verify", *ONE_DAY, "--deep")

    assert found.code == 1
    assert "a recording that Genesys lists and no row knows: " in found.output


def test_only_working_days_are_verified_and_each_is_named(
    terminal: CommandLine, database: Database
) -> None:
    """From a Friday to the Monday after: three days, of which none was ever run."""
    finished = terminal.run("verify", "--from", DAY, "--to", "2024-02-19")
    assert finished.code == 0
    assert finished.output.splitlines() == [
        "3 days verified, 0 differences.",
        "3 of these days never ran: 2024-02-16, 2024-02-17, 2024-02-19.",
    ]
    assert rows(database.engine, "extraction_jobs") == []


def test_a_day_that_a_run_works_on_is_not_compared(
    terminal: CommandLine, database: Database
) -> None:
    with day_lock(database.engine, database.settings.schema, date.fromisoformat(DAY)):
        busy = terminal.run("verify", "--from", DAY, "--to", "2024-02-17")
    assert busy.code == 1
    assert f"Another run is working on {DAY}" in busy.errors
    assert busy.output.startswith("1 days verified, 0 differences.\n")  # the others are


def test_only_who_asks_genesys_needs_its_credentials(terminal: CommandLine) -> None:
    lost = {"GENESYS_CLOUD_CLIENT_SECRET": ""}
    assert terminal.run("verify", *ONE_DAY, **lost).code == 0
    refused = terminal.run("verify", *ONE_DAY, "--deep", **lost)
    assert refused.code == 1
    assert "GENESYS_CLOUD_CLIENT_SECRET is required" in refused.errors


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "2024-02-17", "--to", DAY), "--to is before --from."),
        (("--from", DAY), "Missing option '--to'"),
        (("--from", "yesterday", "--to", DAY), "does not match the format"),
        (("--from", DAY, "--to", DAY, "--delete"), "No such option"),
    ],
    ids=["backwards", "half a span", "no date", "no option"],
)
def test_what_it_does_not_understand(
    terminal: CommandLine, arguments: tuple[str, ...], told: str
) -> None:
    refused = terminal.run("verify", *arguments)
    assert refused.code == 2
    assert told in refused.errors


def test_what_is_missing_is_told(nowhere: CommandLine, terminal: CommandLine) -> None:
    refused = nowhere.run("verify", *ONE_DAY)
    assert refused.code == 1
    assert "PG_HOST is required and not set" in refused.errors
    assert "Traceback" not in refused.errors


def test_without_tables_it_says_how_to_make_them(
    terminal: CommandLine, postgres_server: Server
) -> None:
    with postgres_server.database("template0") as empty:
        failed = terminal.run("verify", *ONE_DAY, PG_DATABASE=empty.settings.database)
    assert failed.code == 1
    assert "audio-extract migrate" in failed.errors
    assert "Traceback" not in failed.errors
