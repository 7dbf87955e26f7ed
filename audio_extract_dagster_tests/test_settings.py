"""Settings: what the environment may say, and what a person reads when it says it wrongly."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from audio_extract_dagster.settings import (
    GENESYS,
    POSTGRES,
    Settings,
    SettingsError,
    environment_of,
    read_settings,
)

COMPLETE = {
    "PG_USER": "extract",
    "PG_PASSWORD": "pg-secret",
    "PG_HOST": "db.example.com",
    "PG_DATABASE": "calls",
    "GENESYS_CLOUD_CLIENT_ID": "client-1",
    "GENESYS_CLOUD_CLIENT_SECRET": "genesys-secret",
    "GENESYS_QUEUE_ID": "queue-1",
}


def problems(environment: dict[str, str], *, require: tuple[str, ...] = ()) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read_settings(environment, require=require)
    return caught.value.problems


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = read_settings({})
    defaults = {
        "pg_port": 5432,
        "pg_schema": "audio_extract",
        "genesys_cloud_region": "mypurecloud.com",
        "genesys_requests_per_minute": 240,
        "batch_size": 90,
        "max_batches_in_flight": 16,
        "genesys_poll_seconds": 10,
        "batch_deadline_minutes": 60,
        "download_concurrency": 32,
        "late_audio_days": 7,
        "max_failed_percent": 5,
        "audio_storage_uri": "data/audio",
        "timezone": "America/Lima",
        "schedule_cron": "0 6 * * 1-6",
        "excluded_weekdays": ("sunday",),
        "excluded_dates": (),
        "start_date": date(2024, 1, 1),
        "log_level": "INFO",
        "dev_mode": False,
        "dagster_home": Path("data/dagster"),
    }
    assert {name: getattr(settings, name) for name in defaults} == defaults


def test_what_is_required_has_no_default() -> None:
    settings = read_settings({})
    assert not any(settings.configured([name]) for name in (*POSTGRES, *GENESYS))


def test_one_error_names_everything_that_is_missing_or_wrong() -> None:
    wrong = {"BATCH_SIZE": "101", "TIMEZONE": "Lima", "EMAILS": "ana@example.com", "PG_USER": "me"}
    found = "\n".join(problems(wrong, require=POSTGRES))
    for name in ("BATCH_SIZE", "TIMEZONE", "NOTIFY_URL", "PG_PASSWORD", "PG_HOST", "PG_DATABASE"):
        assert name in found
    assert "PG_USER" not in found


def test_an_empty_value_counts_as_not_set() -> None:
    assert read_settings({"BATCH_SIZE": " ", "GENESYS_QUEUE_ID": ""}) == read_settings({})
    assert problems({"PG_USER": "  "}, require=("PG_USER",)) == ("PG_USER is required and not set",)


def test_whoever_needs_more_is_told_what_is_missing() -> None:
    settings = read_settings({"PG_USER": "extract", "PG_HOST": "localhost"})
    with pytest.raises(SettingsError) as caught:
        settings.postgres()
    assert caught.value.problems == (
        "PG_PASSWORD is required and not set",
        "PG_DATABASE is required and not set",
    )


def test_the_region_gives_both_addresses_and_either_can_be_named() -> None:
    region = {"GENESYS_CLOUD_REGION": "sae1.pure.cloud"}
    settings = read_settings(region)
    assert settings.login_url == "https://login.sae1.pure.cloud"
    assert settings.api_url == "https://api.sae1.pure.cloud"
    settings = read_settings({**region, "GENESYS_CLOUD_API_URL": "http://127.0.0.1:9000/"})
    assert settings.login_url == "https://login.sae1.pure.cloud"
    assert settings.api_url == "http://127.0.0.1:9000"


def test_queues_are_a_list_and_a_star_is_every_queue() -> None:
    assert read_settings({"GENESYS_QUEUE_ID": "q-1, q-2,"}).queue_ids == ("q-1", "q-2")
    assert read_settings({"GENESYS_QUEUE_ID": "*"}).queue_ids == ()


@pytest.mark.parametrize("name", ["NOTIFY_URL", "EMAILS"])
def test_the_gateway_needs_both_of_its_settings(name: str) -> None:
    value = "ana@example.com" if name == "EMAILS" else "https://gateway.example.com"
    assert problems({name: value}) == ("NOTIFY_URL and EMAILS must be set together, or neither",)


@pytest.mark.parametrize(
    ("host", "refused"),
    [
        ("127.0.0.1", False),
        ("/run/postgresql", False),
        ("db.example.com", True),
        ("/cloudsql/project:region:instance", True),
        ("/workspace/sockets/project:region:instance", True),
    ],
)
def test_invented_calls_never_reach_a_distant_database(host: str, refused: bool) -> None:
    environment = {"DEV_MODE": "True", "PG_HOST": host}
    if refused:
        (problem,) = problems(environment)
        assert problem.startswith("PG_HOST must be on this machine")
    else:
        assert read_settings(environment).uses_simulator
    # With a Genesys Cloud of its own, development may use any database.
    assert not read_settings({**COMPLETE, **environment}).uses_simulator


def test_invented_calls_never_reach_a_bucket() -> None:
    environment = {"DEV_MODE": "True", "AUDIO_STORAGE_URI": "gs://recordings"}
    (problem,) = problems(environment)
    assert problem.startswith("AUDIO_STORAGE_URI must be a folder")
    assert not read_settings({**COMPLETE, **environment}).uses_simulator


def test_a_simulator_of_ones_own_is_one_too() -> None:
    simulated = {**COMPLETE, "DEV_MODE": "True", "GENESYS_CLOUD_API_URL": "http://localhost:8080"}
    elsewhere = {"PG_HOST": "db.example.com", "AUDIO_STORAGE_URI": "gs://recordings"}
    assert read_settings({**simulated, "PG_HOST": "127.0.0.1"}).uses_simulator
    database, bucket = problems({**simulated, **elsewhere})
    assert database.startswith("PG_HOST must be on this machine")
    assert bucket.startswith("AUDIO_STORAGE_URI must be a folder")
    # In production it is whatever stands before Genesys Cloud there: a proxy, a tunnel.
    assert not read_settings({**simulated, **elsewhere, "DEV_MODE": "False"}).uses_simulator


def test_secrets_are_never_shown() -> None:
    gateway = {"NOTIFY_URL": "https://gateway.example.com/gateway-secret", "EMAILS": "a@b.pe"}
    settings = read_settings({**COMPLETE, **gateway})
    for shown in (repr(settings), str(settings), repr(settings.postgres())):
        assert "secret" not in shown.replace("client_secret", "")
    assert settings.postgres().password == "pg-secret"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PG_PORT", "misplaced-secret"),
        ("PG_SCHEMA", "Misplaced-secret"),
        ("GENESYS_CLOUD_API_URL", "https://me:misplaced-secret@[api"),
        ("GENESYS_CLOUD_API_URL", "https://api\N{ACCOUNT OF}misplaced-secret"),
        ("TIMEZONE", "misplaced-secret"),
        ("EMAILS", "misplaced-secret"),
    ],
)
def test_an_error_shows_no_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({**COMPLETE, name: value})
    assert name in str(caught.value)
    assert "isplaced-secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_calendar_is_made_of_its_settings() -> None:
    days = read_settings(
        {
            "TIMEZONE": "Europe/Madrid",
            "EXCLUDED_WEEKDAYS": "saturday,sunday",
            "EXCLUDED_DATES": "2026-03-11,12-25",
            "START_DATE": "2026-03-09",
        }
    ).business_days
    assert days.between(date(2026, 3, 1), date(2026, 3, 17)) == [
        date(2026, 3, 9),
        date(2026, 3, 10),
        date(2026, 3, 12),
        date(2026, 3, 13),
        date(2026, 3, 16),
        date(2026, 3, 17),
    ]
    assert date(2030, 12, 25) not in days
    assert days.window(date(2026, 3, 9)).start.hour == 23


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("BATCH_SIZE=50\nPG_SCHEMA=from_file\n")
    monkeypatch.setenv("BATCH_SIZE", "60")
    monkeypatch.delenv("PG_SCHEMA", raising=False)
    settings = read_settings(environment_of(tmp_path))
    assert (settings.batch_size, settings.pg_schema) == (60, "from_file")


def test_other_variables_are_not_ours() -> None:
    assert read_settings({"PATH": "/bin", "pg_user": "lower"}) == Settings()


def test_links_lead_to_the_page_of_the_run() -> None:
    settings = read_settings({"DAGSTER_UI_URL": "https://dagster.example.com/"})
    assert settings.run_url("run-1") == "https://dagster.example.com/runs/run-1"
