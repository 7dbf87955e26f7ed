"""Every setting of the project: names, types, defaults, limits; read once from the environment.

Nothing is connected or started here. A `Settings` may lack what is required, because the code
location must load with an empty environment: `require` reports what is missing to whoever needs
it. Wrong values are reported as they are read. Either way one error names every variable
concerned, and never shows a value.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from audio_extract_dagster.business_days import WEEKDAYS, BusinessDays
from audio_extract_dagster.database.connection import PostgresSettings
from audio_extract_dagster.errors import Never
from audio_extract_dagster.network.loopback import is_loopback
from audio_extract_dagster.setting_types import (
    BaseUrl,
    CronExpression,
    Day,
    Domain,
    EmailAddresses,
    Holidays,
    LogLevel,
    NotifyUrl,
    SchemaName,
    StorageUri,
    WebAddress,
    Weekdays,
    Words,
    ZoneName,
    read_holiday,
)

POSTGRES = ("PG_USER", "PG_PASSWORD", "PG_HOST", "PG_DATABASE")
GENESYS = ("GENESYS_CLOUD_CLIENT_ID", "GENESYS_CLOUD_CLIENT_SECRET", "GENESYS_QUEUE_ID")
NOTIFICATION = ("NOTIFY_URL", "EMAILS")


class SettingsError(Never):
    """Settings that are missing or wrong; `problems` has one line for each, by name."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(
            "Settings are missing or wrong. Set them in the environment or in the file .env "
            f"(.env.example explains each):{lines}"
        )


class Settings(BaseModel):
    """The settings of one process. Field names are the variables' names in lower case."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=str.upper,
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )

    pg_user: str | None = None
    pg_password: SecretStr | None = None
    pg_host: str | None = None
    pg_database: str | None = None
    pg_port: Annotated[int, Field(ge=1, le=65535)] = 5432
    pg_schema: SchemaName = "audio_extract"

    genesys_cloud_client_id: str | None = None
    genesys_cloud_client_secret: SecretStr | None = None
    genesys_queue_id: Words = ()
    genesys_cloud_region: Domain = "mypurecloud.com"
    genesys_cloud_login_url: BaseUrl | None = None
    genesys_cloud_api_url: BaseUrl | None = None
    genesys_requests_per_minute: Annotated[int, Field(ge=1)] = 240

    batch_size: Annotated[int, Field(ge=1, le=100)] = 90
    max_batches_in_flight: Annotated[int, Field(ge=1)] = 16
    genesys_poll_seconds: Annotated[float, Field(gt=0)] = 10.0
    batch_deadline_minutes: Annotated[float, Field(gt=0)] = 60.0
    download_concurrency: Annotated[int, Field(ge=1, le=512)] = 32
    late_audio_days: Annotated[int, Field(ge=0, le=3650)] = 7
    max_failed_percent: Annotated[float, Field(ge=0, le=100)] = 5.0
    # The schedule looks back at a week: what it may list again must not be on its way out.
    retention_days: Annotated[int, Field(ge=8, le=36500)] | None = None

    audio_storage_uri: StorageUri = "data/audio"
    project_id: str | None = None
    google_application_credentials: str | None = None

    # A gateway's URL may carry its key.
    notify_url: NotifyUrl | None = None
    emails: EmailAddresses = ()
    email_message: str = ""
    notify_language: Literal["en", "es"] = "en"

    timezone: ZoneName = "America/Lima"
    schedule_cron: CronExpression = "0 6 * * 1-6"
    excluded_weekdays: Weekdays = ("sunday",)
    excluded_dates: Holidays = ()
    start_date: Day = date(2024, 1, 1)

    log_level: LogLevel = "INFO"
    dev_mode: bool = False
    dagster_home: Path = Path("data/dagster")
    # Where the links in messages lead.
    dagster_ui_url: WebAddress = "http://127.0.0.1:3000"
    # Where the links from assets to their code lead, the package's folder below it.
    source_code_url: WebAddress | None = None

    @property
    def login_url(self) -> str:
        return self.genesys_cloud_login_url or f"https://login.{self.genesys_cloud_region}"

    @property
    def api_url(self) -> str:
        return self.genesys_cloud_api_url or f"https://api.{self.genesys_cloud_region}"

    @property
    def queue_ids(self) -> tuple[str, ...]:
        """The queues to extract; empty means every queue (`GENESYS_QUEUE_ID='*'`)."""
        return () if "*" in self.genesys_queue_id else self.genesys_queue_id

    @property
    def business_days(self) -> BusinessDays:
        holidays = [read_holiday(text) for text in self.excluded_dates]
        return BusinessDays(
            timezone=ZoneInfo(self.timezone),
            first=self.start_date,
            excluded_weekdays=frozenset(map(WEEKDAYS.index, self.excluded_weekdays)),
            excluded_dates=frozenset(day for day in holidays if isinstance(day, date)),
            excluded_yearly=frozenset(day for day in holidays if isinstance(day, tuple)),
        )

    @property
    def postgres_is_local(self) -> bool:
        """Whether the database, if one is configured, runs on this machine."""
        if self.pg_host is None or is_loopback(self.pg_host):
            return True
        # Cloud SQL shows a distant database as a socket folder named PROJECT:REGION:INSTANCE.
        return self.pg_host.startswith("/") and ":" not in self.pg_host

    @property
    def storage_is_local(self) -> bool:
        """Whether audio is kept in a folder: written as a path or as `file://…`."""
        return "://" not in self.audio_storage_uri or self.audio_storage_uri.startswith("file://")

    @property
    def uses_simulator(self) -> bool:
        """Whether DEV_MODE works with invented calls: its own, or those of one on loopback."""
        on_loopback = is_loopback(urlsplit(self.api_url).hostname)
        return self.dev_mode and (on_loopback or not self.configured(GENESYS))

    def postgres(self) -> PostgresSettings:
        """Where the database is; raises `SettingsError` if that is not set."""
        self.require(*POSTGRES)
        return PostgresSettings(
            user=self.pg_user or "",
            password=self.pg_password.get_secret_value() if self.pg_password else "",
            host=self.pg_host or "",
            port=self.pg_port,
            database=self.pg_database or "",
            schema=self.pg_schema,
        )

    def run_url(self, run_id: str) -> str:
        """The page of a run in the Dagster UI."""
        return f"{self.dagster_ui_url.rstrip('/')}/runs/{run_id}"

    def backfill_url(self, backfill_id: str) -> str:
        """The page of a backfill in the Dagster UI."""
        return f"{self.dagster_ui_url.rstrip('/')}/runs/b/{backfill_id}"

    def configured(self, names: Iterable[str]) -> bool:
        """Whether every one of the named variables is set."""
        return not self._missing(names)

    def require(self, *names: str) -> None:
        """Raise one `SettingsError` that lists those of `names` that are not set."""
        if missing := self._missing(names):
            raise SettingsError(f"{name} is required and not set" for name in missing)

    def _missing(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if not getattr(self, name.lower())]


def environment_of(folder: Path) -> dict[str, str]:
    """The variables of this process, completed by `.env` in `folder` where there is one."""
    from_file = {k: v for k, v in dotenv_values(folder / ".env").items() if v is not None}
    return {**from_file, **os.environ}


def read_settings(environment: Mapping[str, str], *, require: Iterable[str] = ()) -> Settings:
    """Settings out of environment variables; an empty value counts as not set.

    Raises `SettingsError` with every variable that cannot be read or that `require` names and
    that is missing.
    """
    present = {name: text.strip() for name, text in environment.items() if text.strip()}
    problems = [f"{name} is required and not set" for name in require if name not in present]
    if ("NOTIFY_URL" in present) != ("EMAILS" in present):
        problems.append("NOTIFY_URL and EMAILS must be set together, or neither")
    try:
        settings = Settings.model_validate(present)
    except ValidationError as error:
        problems += [_in_words(each["loc"], each["msg"]) for each in error.errors()]
        raise SettingsError(problems) from None
    if settings.uses_simulator and not settings.postgres_is_local:
        problems.append(
            "PG_HOST must be on this machine while DEV_MODE works with the simulator (Genesys "
            "Cloud is not configured, or on loopback): invented calls must not reach a shared "
            "database"
        )
    if settings.uses_simulator and not settings.storage_is_local:
        problems.append(
            "AUDIO_STORAGE_URI must be a folder while DEV_MODE works with the simulator (Genesys "
            "Cloud is not configured, or on loopback): invented calls must not reach a bucket"
        )
    if problems:
        raise SettingsError(problems)
    return settings


def _in_words(location: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ").replace("Input should be", "must be")
    return f"{location[0]} {text.partition(', unable to ')[0]}"
