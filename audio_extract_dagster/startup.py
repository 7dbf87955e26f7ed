"""The settings that a part starts to work with: what DEV_MODE replaces is started and filled in.

With DEV_MODE off this only reads and checks the environment. What the settings are is in
`settings.py`, what the embedded services are and how they are shared in `embedded/session.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from audio_extract_dagster.settings import (
    GENESYS,
    NOTIFICATION,
    POSTGRES,
    Settings,
    environment_of,
    read_settings,
)

DATA_FOLDER = Path("data")


def settings_with_services(require: Iterable[str] = POSTGRES + GENESYS) -> Settings:
    """Settings to work with, DEV_MODE's services running; one `SettingsError` lists what lacks."""
    environment = environment_of(Path.cwd())
    return read_settings(environment | _embedded(environment), require=require)


def postgres_settings() -> Settings:
    """The same for whatever needs the database, and not Genesys.

    A schedule or a sensor that failed because a secret of Genesys is lost would start no run, and
    so nobody would be told.
    """
    return settings_with_services(require=POSTGRES)


def exported_settings() -> Settings:
    """The same, and in the environment, where Dagster and child processes read them."""
    os.environ.update(_embedded(os.environ))
    return settings_with_services()


def uses_embedded_database() -> bool:
    """Whether DEV_MODE brings the database: none is configured."""
    settings = read_settings(environment_of(Path.cwd()))
    return settings.dev_mode and not settings.configured(POSTGRES)


def _embedded(environment: Mapping[str, str]) -> dict[str, str]:
    """Start, or join, what DEV_MODE replaces and is not configured; returns its variables."""
    settings = read_settings(environment)
    if not settings.dev_mode:
        return {}
    from audio_extract_dagster.embedded.libpq import forget_libpq
    from audio_extract_dagster.embedded.session import ensure_embedded

    parts = {
        name
        for name, variables in (
            ("postgres", POSTGRES),
            ("genesys", GENESYS),
            ("gateway", NOTIFICATION),
        )
        if not settings.configured(variables)
    }
    if not parts:
        return {}
    services = ensure_embedded(DATA_FOLDER.absolute(), parts)
    variables: dict[str, str] = {}
    if services.postgres is not None:
        forget_libpq()
        variables |= {
            "PG_USER": services.postgres.user,
            "PG_PASSWORD": services.postgres.password,
            "PG_HOST": services.postgres.host,
            "PG_PORT": str(services.postgres.port),
            "PG_DATABASE": services.postgres.database,
        }
    if services.genesys_url is not None:
        variables |= {
            "GENESYS_CLOUD_CLIENT_ID": "simulator",
            "GENESYS_CLOUD_CLIENT_SECRET": "simulator",
            "GENESYS_QUEUE_ID": "*",
            "GENESYS_CLOUD_LOGIN_URL": services.genesys_url,
            "GENESYS_CLOUD_API_URL": services.genesys_url,
        }
        if "genesys_poll_seconds" not in settings.model_fields_set:
            # The simulator prepares a batch in about a second.
            variables["GENESYS_POLL_SECONDS"] = "0.5"
    if services.notify_url is not None:
        variables |= {"NOTIFY_URL": services.notify_url, "EMAILS": "operations@example.com"}
    return variables
