"""The values that each setting takes and refuses, one setting at a time."""

from __future__ import annotations

from datetime import date

import pytest

from audio_extract_dagster.setting_types import read_holiday
from audio_extract_dagster.settings import SettingsError, read_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PG_PORT", "0"),
        ("PG_PORT", "65536"),
        ("PG_SCHEMA", "dagster"),
        ("PG_SCHEMA", "pg_calls"),
        ("PG_SCHEMA", "information_schema"),
        ("PG_SCHEMA", "Calls"),
        ("PG_SCHEMA", 'a"; DROP'),
        ("GENESYS_QUEUE_ID", ","),
        ("GENESYS_CLOUD_REGION", "https://mypurecloud.com"),
        ("GENESYS_CLOUD_API_URL", "http://api.example.com"),
        ("GENESYS_CLOUD_API_URL", "api.example.com"),
        ("GENESYS_CLOUD_API_URL", "https://[::1"),
        ("GENESYS_CLOUD_API_URL", "https://api.example.com:port"),
        ("GENESYS_CLOUD_API_URL", "https://api.example.com/?tenant=1"),
        ("GENESYS_CLOUD_API_URL", "https://api.example.com?"),
        ("GENESYS_CLOUD_API_URL", "https://api.example.com#2"),
        ("GENESYS_CLOUD_API_URL", "https://user:password@api.example.com"),
        ("GENESYS_CLOUD_LOGIN_URL", "https://user@login.example.com"),
        ("GENESYS_REQUESTS_PER_MINUTE", "0"),
        ("BATCH_SIZE", "0"),
        ("BATCH_SIZE", "101"),
        ("BATCH_SIZE", "ninety"),
        ("MAX_BATCHES_IN_FLIGHT", "0"),
        ("GENESYS_POLL_SECONDS", "0"),
        ("GENESYS_POLL_SECONDS", "nan"),
        ("BATCH_DEADLINE_MINUTES", "inf"),
        ("DOWNLOAD_CONCURRENCY", "0"),
        ("AUDIO_STORAGE_URI", "file://"),
        ("AUDIO_STORAGE_URI", "file://server/audio"),
        ("AUDIO_STORAGE_URI", "data:audio"),
        ("AUDIO_STORAGE_URI", "s3://bucket"),
        ("AUDIO_STORAGE_URI", "gs:///prefix"),
        ("AUDIO_STORAGE_URI", "gs://bucket/audio#2024"),
        ("AUDIO_STORAGE_URI", "gs://bucket/audio?2024"),
        ("AUDIO_STORAGE_URI", "gs://bucket#2024"),
        ("AUDIO_STORAGE_URI", "file:///srv/audio#2"),
        ("AUDIO_STORAGE_URI", "file:///srv/audio?2"),
        ("LATE_AUDIO_DAYS", "-1"),
        ("LATE_AUDIO_DAYS", "99999999999"),
        ("MAX_FAILED_PERCENT", "100.1"),
        ("EMAILS", "nobody"),
        ("NOTIFY_URL", "gateway.example.com"),
        ("NOTIFY_URL", "localhost:8080/send"),
        ("NOTIFY_URL", "://gateway.example.com"),
        ("TIMEZONE", "Lima"),
        ("TIMEZONE", "../../etc/passwd"),
        ("SCHEDULE_CRON", "0 6 * *"),
        ("SCHEDULE_CRON", "0 24 * * *"),
        ("SCHEDULE_CRON", "every day at six o'clock"),
        ("SCHEDULE_CRON", "0 6 31 2 *"),
        ("SCHEDULE_CRON", "0 6 31 4,jun-7/2,9,11 *"),
        ("SCHEDULE_CRON", "0 6 30-31 2 1"),
        ("EXCLUDED_WEEKDAYS", "domingo"),
        ("EXCLUDED_WEEKDAYS", "monday,tuesday,wednesday,thursday,friday,saturday,sunday"),
        ("EXCLUDED_DATES", "2024-02-30"),
        ("EXCLUDED_DATES", "28-07"),
        ("EXCLUDED_DATES", "20240728"),
        ("START_DATE", "soon"),
        ("START_DATE", "20240101"),
        ("START_DATE", "2024"),
        ("DAGSTER_UI_URL", "dagster.example"),
        ("DAGSTER_UI_URL", "https://dagster example"),
        ("SOURCE_CODE_URL", "git@example.com:audio"),
        ("LOG_LEVEL", "LOUD"),
        ("DEV_MODE", "perhaps"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    both = {"NOTIFY_URL": "https://gateway.example.com", "EMAILS": "ana@example.com"}
    together = both if name in both else {}
    with pytest.raises(SettingsError) as caught:
        read_settings({**together, name: value})
    (problem,) = caught.value.problems
    assert problem.startswith(f"{name} must ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BATCH_SIZE", "1"),
        ("BATCH_SIZE", "100"),
        ("GENESYS_POLL_SECONDS", "0.05"),
        ("BATCH_DEADLINE_MINUTES", "0.5"),
        ("LATE_AUDIO_DAYS", "0"),
        ("MAX_FAILED_PERCENT", "0"),
        ("SCHEDULE_CRON", "*/15 6-8,20 1 jan-mar mon,SAT"),
        ("SCHEDULE_CRON", "0 6 29 2 *"),
        ("SCHEDULE_CRON", "0 6 31 2,3 *"),
        ("SCHEDULE_CRON", "0 6 31 2/1 *"),
        ("EXCLUDED_WEEKDAYS", "Saturday, SUNDAY"),
        ("EXCLUDED_DATES", "2024-07-29, 12-25,02-29"),
        ("GENESYS_CLOUD_REGION", "euw2.pure.cloud"),
        ("PG_HOST", "/cloudsql/project:region:instance"),
        ("AUDIO_STORAGE_URI", "file:///srv/audio"),
        ("AUDIO_STORAGE_URI", "file://localhost/srv/audio"),
        ("AUDIO_STORAGE_URI", "/srv/audio#2?"),
        ("AUDIO_STORAGE_URI", "gs://bucket"),
        ("AUDIO_STORAGE_URI", "gs://bucket/some/prefix"),
        ("AUDIO_STORAGE_URI", "C:\\audio"),
        ("AUDIO_STORAGE_URI", "./a:b"),
    ],
)
def test_a_right_value_at_the_edge_is_taken(name: str, value: str) -> None:
    assert read_settings({name: value}) != read_settings({})


@pytest.mark.parametrize(
    ("text", "holiday"),
    [("2024-07-29", date(2024, 7, 29)), ("12-25", (12, 25)), ("02-29", (2, 29))],
)
def test_a_holiday_is_once_or_every_year(text: str, holiday: object) -> None:
    assert read_holiday(text) == holiday
