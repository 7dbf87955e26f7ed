"""Gets a working folder ready for Dagster: settings, schema, `DAGSTER_HOME`, dagster.yaml."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.schema import CreateSchema

from audio_extract_dagster.composition import engine_of
from audio_extract_dagster.database.connection import writing
from audio_extract_dagster.database.migrate import migrate
from audio_extract_dagster.settings import Settings
from audio_extract_dagster.startup import exported_settings, uses_embedded_database

# The instance's own tables live beside the project's, in the same database.
DAGSTER_SCHEMA = "dagster"

# Only a file that still has the checksum of what follows its second line is written anew.
_HEAD = """\
# Written by audio-extract, and anew when settings change. Once you have changed it, it is yours.
# {digest}
"""
# `postgresql+psycopg2` in full: a bare `postgresql` means psycopg 3 to SQLAlchemy 2.1.
_DAGSTER_YAML = """\
storage:
  postgres:
    postgres_db:
      scheme: postgresql+psycopg2
      username: {{env: PG_USER}}
      password: {{env: PG_PASSWORD}}
      db_name: {{env: PG_DATABASE}}
{address}

# A schedule's tick that fails is tried again each minute: the day's run must not wait for tomorrow.
scheduler:
  module: dagster._core.scheduler
  class: DagsterDaemonScheduler
  config: {{max_tick_retries: 10}}

# Days go one after another; docs/operations.md says when more at a time are worth it.
concurrency:
  runs:
    max_concurrent_runs: 4
  pools:
    default_limit: 1
    granularity: run

# A run that was killed is found, and what it held is given back.
run_monitoring:
  enabled: true
  poll_interval_seconds: 30
  free_slots_after_run_end_seconds: 30

# Ticks are kept for so many days. Runs stay: they are the history of each day.
retention:
  schedule: {{purge_after_days: 90}}
  sensor:
    purge_after_days: {{skipped: 7, success: 30, failure: 90}}

python_logs:
  managed_python_loggers: [audio_extract_dagster]

telemetry: {{enabled: false}}
nux: {{enabled: false}}
"""
_BY_NETWORK = """\
      hostname: {env: PG_HOST}
      port: %s
      params: {options: "-c search_path=dagster"}"""
# Dagster takes a socket folder only as a parameter, and parameters only as text.
_BY_SOCKET = """\
      hostname: ""
      params: {{host: {host}, port: "{port}", options: "-c search_path=dagster"}}"""


def ready_settings() -> Settings:
    """Complete settings with everything they name ready: services, schema, Dagster's home.

    Raises `SettingsError`, or what connecting to the database raises. Exports to the environment
    what Dagster and child processes read there.
    """
    embedded = uses_embedded_database()
    settings = exported_settings()
    ready_database(settings, embedded=embedded)
    return settings


def ready_database(settings: Settings, *, embedded: bool = False) -> None:
    """Upgrade the schema if it is behind, and write the dagster.yaml of the instance in it.

    `embedded`: whether it is in the embedded database, which may have another port tomorrow.
    """
    engine = engine_of(settings)
    migrate(engine, settings.pg_schema)
    _create_dagster_schema(engine)
    home = settings.dagster_home.absolute()
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ["PG_PORT"] = str(settings.pg_port)
    # Child processes work in other folders.
    if "://" not in settings.audio_storage_uri:
        os.environ["AUDIO_STORAGE_URI"] = str(Path(settings.audio_storage_uri).absolute())
    if key := settings.google_application_credentials:
        os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(Path(key).absolute())
    _write_dagster_yaml(home, settings, "{env: PG_PORT}" if embedded else str(settings.pg_port))


def _create_dagster_schema(engine: Engine) -> None:
    exists = text("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = :name)")
    with writing(engine) as connection:
        if not connection.execute(exists, {"name": DAGSTER_SCHEMA}).scalar_one():
            connection.execute(CreateSchema(DAGSTER_SCHEMA, if_not_exists=True))


def _write_dagster_yaml(home: Path, settings: Settings, port: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    host = settings.pg_host or ""
    address = _BY_NETWORK % port
    if host.startswith("/"):
        address = _BY_SOCKET.format(host=host, port=settings.pg_port)
    file = home / "dagster.yaml"
    wanted = _signed(_DAGSTER_YAML.format(address=address))
    found = file.read_text(encoding="utf-8") if file.exists() else None
    if found is None or (found != wanted and _is_as_written(found)):
        new = file.with_suffix(f".{os.getpid()}")  # somebody may be reading the old one
        new.write_text(wanted, encoding="utf-8")
        new.replace(file)


def _signed(text: str) -> str:
    return _HEAD.format(digest=hashlib.sha256(text.encode()).hexdigest()) + text


def _is_as_written(signed: str) -> bool:
    return signed == _signed(signed.split("\n", 2)[-1])
