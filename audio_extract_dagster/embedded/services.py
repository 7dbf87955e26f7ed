"""The embedded services as one set: each is started when it is first asked for.

Who asks, and when all of them stop, is the matter of `supervisor.py`.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack

from audio_extract_dagster.database.connection import PostgresSettings
from audio_extract_dagster.embedded.control import ControlFolder, EmbeddedServices
from audio_extract_dagster.embedded.gateway import Gateway
from audio_extract_dagster.embedded.postgres import EmbeddedPostgres

_log = logging.getLogger(__name__)


class Services:
    """The services themselves, each started when it is first asked for."""

    def __init__(self, folder: ControlFolder) -> None:
        self._postgres = EmbeddedPostgres(folder.path / "postgres")
        self._gateway = Gateway(folder.data / "messages")
        self._postgres_settings: PostgresSettings | None = None
        self._notify_url: str | None = None
        self._genesys_url: str | None = None
        self._stack = ExitStack()

    def provide(self, parts: frozenset[str]) -> EmbeddedServices:
        """Start what is missing of `parts`, also a server that has ended by itself."""
        return EmbeddedServices(
            postgres=self._provide_postgres() if "postgres" in parts else None,
            genesys_url=self._provide_genesys() if "genesys" in parts else None,
            notify_url=self._provide_gateway() if "gateway" in parts else None,
        )

    def stop(self) -> None:
        """Stop what runs."""
        self._stack.close()

    def _provide_postgres(self) -> PostgresSettings:
        if self._postgres_settings is None or not self._postgres.is_running():
            self._stack.callback(self._postgres.stop)
            self._postgres_settings = self._postgres.start()
            _log.info("PostgreSQL is on port %d.", self._postgres_settings.port)
        return self._postgres_settings

    def _provide_genesys(self) -> str:
        if self._genesys_url is None:
            # Only development needs the simulator, and only when Genesys is not configured.
            from audio_extract_dagster.simulator import serve  # noqa: PLC0415

            simulator = serve()
            self._stack.callback(simulator.stop)
            self._genesys_url = simulator.url
            _log.info("The Genesys simulator is on %s.", simulator.url)
        return self._genesys_url

    def _provide_gateway(self) -> str:
        if self._notify_url is None:
            self._notify_url = self._gateway.start()
            self._stack.callback(self._gateway.stop)
            _log.info("The notification gateway is on %s.", self._notify_url)
        return self._notify_url
