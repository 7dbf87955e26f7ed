"""The environment that settings are read from, made by tests and by nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping

from audio_extract_dagster.settings import Settings
from audio_extract_dagster_tests.postgres import Database

# Of the machine that runs the tests: no part of what is tested.
_FOREIGN = ("_PROXY", "_CA_BUNDLE")


def names_of_settings() -> set[str]:
    """Every variable that the project reads."""
    return {name.upper() for name in Settings.model_fields}


def bare_environment() -> dict[str, str]:
    """The environment of this process without settings, proxies and certificates."""
    named = names_of_settings()
    return {
        name: value
        for name, value in os.environ.items()
        if name not in named and not name.upper().endswith(_FOREIGN)
    }


def database_variables(database: Database) -> dict[str, str]:
    """How to reach a test's database."""
    settings = database.settings
    return {
        "PG_USER": settings.user,
        "PG_PASSWORD": settings.password,
        "PG_HOST": settings.host,
        "PG_PORT": str(settings.port),
        "PG_DATABASE": settings.database,
    }


def genesys_variables(url: str, secret: str = "s3cret-of-the-client") -> Mapping[str, str]:
    """How to reach a simulator; every queue."""
    return {
        "GENESYS_CLOUD_CLIENT_ID": "client-id",
        "GENESYS_CLOUD_CLIENT_SECRET": secret,
        "GENESYS_QUEUE_ID": "*",
        "GENESYS_CLOUD_LOGIN_URL": url,
        "GENESYS_CLOUD_API_URL": url,
    }
