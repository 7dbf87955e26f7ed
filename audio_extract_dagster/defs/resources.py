"""Dagster resources: the parts of the project, opened when a step first asks for them.

They take no configuration in Dagster: everything comes from the environment through `Settings`, so
that no secret can end up in a run's configuration or in a snapshot. Being lazy, they fail inside
the step that needs them, where the error is told to people in one place. Each takes the clock that
its part waits by.
"""

import dagster as dg
from pydantic import PrivateAttr
from sqlalchemy import Engine

from audio_extract_dagster.clock import Clock, CountedPauses
from audio_extract_dagster.composition import (
    database_seconds,
    engine_of,
    genesys_client_of,
    storage_of,
)
from audio_extract_dagster.defs.runs import BROKEN_OFF, day_of_run, was_stopped, why_not_done
from audio_extract_dagster.defs.telling import announcer
from audio_extract_dagster.download.downloader import Downloader
from audio_extract_dagster.extraction.day_run import DayRun
from audio_extract_dagster.genesys import GenesysClient
from audio_extract_dagster.model import JobUsage
from audio_extract_dagster.settings import Settings
from audio_extract_dagster.startup import settings_with_services

# Another run of the day is waited for so long; after that this run stops with a clear message.
WAIT_FOR_DAY_SECONDS = 60.0


class GenesysResource(dg.ConfigurableResource[GenesysClient]):
    """Genesys Cloud: the API client, with its login, its request budget and its patience."""

    clock: dg.ResourceDependency[Clock]
    _client: GenesysClient | None = PrivateAttr(default=None)
    _pauses: CountedPauses | None = PrivateAttr(default=None)

    def client(self) -> GenesysClient:
        """The client of this run; raises `SettingsError` when Genesys is not configured."""
        if self._client is None:
            self._client = genesys_client_of(settings_with_services(), self.clock)
        return self._client

    def pauses(self) -> CountedPauses:
        """The clock to wait by while Genesys prepares batches."""
        if self._pauses is None:
            self._pauses = CountedPauses(self.clock)
        return self._pauses

    def usage(self) -> JobUsage:
        """What this run has spent so far."""
        if self._client is None:
            return JobUsage()
        spent = self._client.usage
        waited = spent.budget_wait + spent.rate_limit_wait + spent.retry_wait
        return JobUsage(spent.total, round(waited, 3))

    def meter(self, run: DayRun) -> None:
        """Have the run tell what it spends here, and how long it waits."""
        run.meter(self.usage)
        run.time(
            seconds_waiting_for_limits=lambda: self.usage().wait_seconds,
            seconds_waiting_for_batches=lambda: self.pauses().seconds,
        )

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        if self._client is not None:
            self._client.close()


class DownloaderResource(dg.ConfigurableResource[Downloader]):
    """What fetches audio and puts it where it is kept (`AUDIO_STORAGE_URI`)."""

    clock: dg.ResourceDependency[Clock]
    _downloader: Downloader | None = PrivateAttr(default=None)

    def downloader(self) -> Downloader:
        """The downloader of this run."""
        if self._downloader is None:
            settings = settings_with_services()
            self._downloader = Downloader(storage_of(settings), clock=self.clock)
        return self._downloader

    def meter(self, run: DayRun) -> None:
        """Have the run tell how long it downloads, summed over what is fetched side by side."""
        run.time(seconds_downloading=lambda: self.downloader().seconds)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        if self._downloader is not None:
            self._downloader.close()


class DayRunResource(dg.ConfigurableResource[DayRun]):
    """The run's row in `extraction_jobs` and its lock on the day.

    Begins with the first step that asks for it and ends with the run, whatever happens: a run that
    was stopped makes the job `CANCELED`, a step that is not known to have succeeded `FAILED`; where
    all have, the accounts of the day decide, also if the run did only a part of it.
    """

    clock: dg.ResourceDependency[Clock]
    _settings: Settings | None = PrivateAttr(default=None)
    _day_run: DayRun | None = PrivateAttr(default=None)

    def settings(self) -> Settings:
        """The settings of this run, complete: every step and check asks, they are read once."""
        if self._settings is None:
            self._settings = settings_with_services()
        return self._settings

    def engine(self) -> Engine:
        """The database of the project."""
        return engine_of(self.settings())

    def begin(self, context: dg.AssetExecutionContext) -> DayRun:
        """The day run of this Dagster run; raises `DayIsBusy` if another run has the day."""
        if self._day_run is None:
            settings = self.settings()
            began, waited = self.clock.monotonic(), database_seconds(settings)
            day_run = DayRun(
                self.engine(),
                settings.pg_schema,
                day_of_run(context.run),
                context.run.run_id,
                clock=self.clock,
                max_failed_percent=settings.max_failed_percent,
                announce=announcer(settings, context.run.tags),
                wait_seconds=WAIT_FOR_DAY_SECONDS,
            )
            day_run.time(
                seconds_of_the_run=lambda: self.clock.monotonic() - began,
                seconds_in_the_database=lambda: database_seconds(settings) - waited,
            )
            day_run.__enter__()
            self._day_run = day_run
        return self._day_run

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        if self._day_run is None:
            return
        instance, run_id = context.instance, self._day_run.run_id
        why: str | None = BROKEN_OFF
        try:
            if instance is not None and was_stopped(instance, run_id):
                self._day_run.canceled()
            elif instance is not None:
                why = why_not_done(instance, run_id)
        finally:  # whatever Dagster's storage says: the lock goes, and silence is no success
            if why is not None:
                self._day_run.failed(why)
            self._day_run.__exit__(None, None, None)
