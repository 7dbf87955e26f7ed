"""`audio-extract doctor`: each thing that a run needs, by name."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from audio_extract_dagster.clock import SystemClock
from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.database.locks import day_lock
from audio_extract_dagster.defs.ticks import last_tick
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.settings import Settings
from audio_extract_dagster.simulator import Fault, Simulator, World
from audio_extract_dagster_tests.cli.command_line import CommandLine, Finished
from audio_extract_dagster_tests.defs.location import rows
from audio_extract_dagster_tests.notify.gateway_server import HttpGatewayServer
from audio_extract_dagster_tests.postgres import Database, Server

_NOBODY = "00000000-0000-4000-8000-00000000dead"


def _said(finished: Finished) -> dict[str, tuple[str, str]]:
    """The verdict and the words on each check."""
    found = {}
    for line in finished.output.splitlines():
        verdict, _, rest = line.partition("  ")
        name, _, words = rest.strip().partition(": ")
        found[name] = verdict.strip(), words
    return found


def _due_days_are_done(database: Database) -> None:
    """Today's, and tomorrow's if midnight is near."""
    now = datetime.now(timezone.utc)
    with database.engine.begin() as connection:
        for moment in (now, now + timedelta(hours=1)):
            due = Settings().business_days.latest_finished(moment)
            assert due is not None
            if due not in jobs.last_statuses(connection, [due]):
                jobs.open_job(connection, f"run of {due}", due, now)
                jobs.close_job(connection, f"run of {due}", JobStatus.INCOMPLETE, now)


def test_everything_is_well(
    terminal: CommandLine, database: Database, simulator: Simulator, gateway: HttpGatewayServer
) -> None:
    assert isinstance(simulator.source, World)
    queue = simulator.source.queues[0]
    _due_days_are_done(database)
    before = rows(database.engine, "extraction_jobs")

    finished = terminal.run("doctor", GENESYS_QUEUE_ID=queue.id)

    assert (finished.code, finished.errors) == (0, "")
    said = _said(finished)
    assert {name: verdict for name, (verdict, _) in said.items()} == {
        "Genesys Cloud login": "ok",
        "permission to list conversations": "ok",
        "permission for recordings": "ok",
        f"queue {queue.id}": "ok",
        "PostgreSQL": "ok",
        "audio storage": "ok",
        "notification gateway": "ok",
        "the day that is due": "ok",
        "earlier days": "ok",
    }
    assert said["Genesys Cloud login"][1] == "organization Simulated contact centre"
    assert said[f"queue {queue.id}"][1] == queue.name
    # It changes nothing.
    assert rows(database.engine, "extraction_jobs") == before
    assert gateway.received == []
    assert simulator.log == []
    assert list(terminal.folder.iterdir()) == []


def test_everything_is_wrong(
    terminal: CommandLine, simulator: Simulator, gateway: HttpGatewayServer
) -> None:
    simulator.faults.add(
        Fault("token", "status", times=None, params={"status": 400, "code": "invalid_client"})
    )
    gateway.statuses = [503]
    (terminal.folder / "taken").write_text("a file where the folder should be")

    finished = terminal.run(
        "doctor", PG_PORT="9", AUDIO_STORAGE_URI="taken", GENESYS_QUEUE_ID=_NOBODY
    )

    assert finished.code == 1
    said = _said(finished)
    assert {verdict for verdict, _ in said.values()} == {"failed"}
    assert len(said) == 9
    assert "GENESYS_CLOUD_CLIENT_SECRET" in said["Genesys Cloud login"][1]
    assert "PG_PORT=9" in said["PostgreSQL"][1]
    assert "AUDIO_STORAGE_URI" in said["audio storage"][1]
    assert "NOTIFY_URL" in said["notification gateway"][1]
    assert "s3cret" not in finished.output + finished.errors
    assert "Traceback" not in finished.errors


def test_a_genesys_that_does_not_answer_is_not_waited_for(terminal: CommandLine) -> None:
    nowhere = "http://127.0.0.1:9"
    finished = terminal.run(
        "doctor", GENESYS_CLOUD_LOGIN_URL=nowhere, GENESYS_CLOUD_API_URL=nowhere
    )
    verdict, words = _said(finished)["Genesys Cloud login"]
    assert (finished.code, verdict) == (1, "failed")
    assert "no connection could be made" in words
    assert "waited" not in words


def test_what_is_not_granted_or_not_done_is_told_by_name(
    terminal: CommandLine, postgres_server: Server, simulator: Simulator
) -> None:
    simulator.switches.missing_permissions = ("metadata",)
    with postgres_server.database("template0") as empty:
        finished = terminal.run(
            "doctor",
            PG_DATABASE=empty.settings.database,
            GENESYS_QUEUE_ID=_NOBODY,
            NOTIFY_URL=None,
            EMAILS=None,
        )

    assert finished.code == 1
    said = _said(finished)
    assert {name: verdict for name, (verdict, _) in said.items()} == {
        "Genesys Cloud login": "ok",
        "permission to list conversations": "ok",
        "permission for recordings": "failed",
        f"queue {_NOBODY}": "failed",
        "PostgreSQL": "warns",
        "audio storage": "ok",
        "notification gateway": "warns",
        "the day that is due": "failed",
        "earlier days": "ok",
    }
    assert "GENESYS_QUEUE_ID" in said[f"queue {_NOBODY}"][1]
    assert "never ran. Run `audio-extract run --date " in said["the day that is due"][1]


def test_days_that_the_schedule_no_longer_looks_at_are_named(
    terminal: CommandLine, database: Database, simulator: Simulator
) -> None:
    _due_days_are_done(database)
    with database.engine.begin() as connection:
        jobs.open_job(connection, "long ago", date(2026, 3, 9), SystemClock().now())

    finished = terminal.run("doctor", GENESYS_QUEUE_ID="*")

    verdict, said = _said(finished)["earlier days"]
    assert (finished.code, verdict) == (0, "warns")
    soon, _, never = said.partition("; ")
    assert soon.startswith("not done, asked for again at the next tick: 2")
    assert never.startswith(
        "not done, and too long ago for the schedule: 2026-03-09 (RUNNING), "
        "2026-03-10 (never run), "
    )
    assert said.endswith(" more. Run each, or launch a backfill.")


def test_a_day_is_not_due_before_the_schedule_asks_for_it(
    terminal: CommandLine, database: Database, simulator: Simulator
) -> None:
    now, days = datetime.now(timezone.utc), Settings().business_days
    half_a_year_away = f"0 6 1 {(now.month + 5) % 12 + 1} *"
    tick = last_tick(half_a_year_away, days, now)
    before = tick and days.latest_finished(tick)
    assert before is not None
    with database.engine.begin() as connection:
        jobs.open_job(connection, "the tick", before, now)
        jobs.close_job(connection, "the tick", JobStatus.SUCCEEDED, now)

    waits = terminal.run("doctor", GENESYS_QUEUE_ID="*", SCHEDULE_CRON=half_a_year_away)
    late = terminal.run("doctor", GENESYS_QUEUE_ID="*", SCHEDULE_CRON="* * * * *")

    verdict, words = _said(waits)["the day that is due"]
    assert (waits.code, verdict) == (0, "ok")
    assert words.startswith(f"{before} SUCCEEDED; 2")
    assert words.endswith(" is due at the next tick")
    assert late.code == 1
    assert "never ran." in _said(late)["the day that is due"][1]


def test_a_due_day_whose_run_was_killed_is_told_from_one_that_runs(
    terminal: CommandLine, database: Database, simulator: Simulator
) -> None:
    now = datetime.now(timezone.utc)
    due = Settings().business_days.latest_finished(now)
    assert due is not None
    with database.engine.begin() as connection:
        jobs.open_job(connection, "killed", due, now)

    gone = terminal.run("doctor", GENESYS_QUEUE_ID="*")
    with day_lock(database.engine, database.settings.schema, due):
        works = terminal.run("doctor", GENESYS_QUEUE_ID="*")

    assert (gone.code, works.code) == (1, 1)
    assert "is RUNNING, but its run is gone. Run " in _said(gone)["the day that is due"][1]
    assert _said(works)["the day that is due"][1].endswith("is RUNNING: a run works on it now.")
