"""The settings that a running part works with: what DEV_MODE replaces is started and filled in.

With DEV_MODE off this only reads and checks the environment. What the embedded services are and
how they are shared is in `session.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
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


def running_settings(require: Iterable[str] = POSTGRES + GENESYS) -> Settings:
    """Settings for work; raises one `SettingsError` that lists all that is missing."""
    environment = environment_of(Path.cwd())
    settings = read_settings(environment)
    if settings.dev_mode:
        environment |= embedded_variables(settings)
    return read_settings(environment, require=require)


def embedded_variables(settings: Settings) -> dict[str, str]:
    """Start, or join, what of the embedded services is not configured; returns its variables."""
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
