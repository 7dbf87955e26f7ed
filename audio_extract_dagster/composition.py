"""Builds the parts of the project from its settings: the one place that knows both.

Each part connects when it is first used; only `forecast_of` and `expire_of`, which put several to
work, use them themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import cache

from sqlalchemy import Engine

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.connection import PostgresSettings, open_engine, reading
from audio_extract_dagster.database.ledger import accounts
from audio_extract_dagster.database.request_budget import SharedBudget
from audio_extract_dagster.database.stopwatch import Stopwatch, time_database
from audio_extract_dagster.extraction.collection import CollectionLimits
from audio_extract_dagster.extraction.forecast import (
    Forecast,
    count_hits,
    forecast,
    measured_rates,
)
from audio_extract_dagster.extraction.retention import (
    ExpiredDay,
    all_expired,
    expire,
    first_day_kept,
)
from audio_extract_dagster.genesys import (
    DEFAULT_POLICY,
    GenesysClient,
    RequestBudget,
    RetryPolicy,
)
from audio_extract_dagster.model import Rates
from audio_extract_dagster.notify.english import ENGLISH
from audio_extract_dagster.notify.gateway import Gateway, open_gateway
from audio_extract_dagster.notify.letterhead import Letterhead
from audio_extract_dagster.notify.spanish import SPANISH
from audio_extract_dagster.settings import Settings
from audio_extract_dagster.storage import AudioStorage, open_storage

_LANGUAGES = {texts.language: texts for texts in (ENGLISH, SPANISH)}


def engine_of(settings: Settings) -> Engine:
    """The database. One engine per process and database, however many parts ask for it."""
    return _database(settings.postgres())[0]


def database_seconds(settings: Settings) -> float:
    """How long this process has waited for that database so far."""
    return _database(settings.postgres())[1].seconds


@cache
def _database(postgres: PostgresSettings) -> tuple[Engine, Stopwatch]:
    engine, stopwatch = open_engine(postgres), Stopwatch()
    time_database(engine, stopwatch)
    return engine, stopwatch


def genesys_client_of(
    settings: Settings,
    clock: Clock,
    budget: RequestBudget | None = None,
    policy: RetryPolicy = DEFAULT_POLICY,
) -> GenesysClient:
    """Genesys Cloud, within the budget that all runs share unless another is given."""
    client_id = settings.genesys_cloud_client_id or ""
    secret = settings.genesys_cloud_client_secret
    return GenesysClient(
        settings.login_url,
        settings.api_url,
        client_id,
        secret.get_secret_value() if secret else "",
        budget=budget
        or SharedBudget(
            engine_of(settings), client_id, settings.genesys_requests_per_minute, clock
        ),
        clock=clock,
        policy=policy,
    )


def storage_of(settings: Settings) -> AudioStorage:
    """Where audio is kept."""
    return open_storage(settings.audio_storage_uri, project=settings.project_id)


def letterhead_of(settings: Settings) -> Letterhead:
    """What all messages have in common."""
    return Letterhead(
        _LANGUAGES[settings.notify_language],
        opening=settings.email_message,
        run_url=settings.run_url,
        backfill_url=settings.backfill_url,
        timezone=settings.timezone,
    )


def limits_of(settings: Settings) -> CollectionLimits:
    """How much at once, how often and for how long the collection of audio asks."""
    return CollectionLimits(
        batch_size=settings.batch_size,
        batches_in_flight=settings.max_batches_in_flight,
        shortest_pause=settings.genesys_poll_seconds,
        batch_deadline=settings.batch_deadline_minutes * 60,
        download_concurrency=settings.download_concurrency,
        late_audio=timedelta(days=settings.late_audio_days),
    )


def gateway_of(settings: Settings) -> Gateway:
    """The way out for messages."""
    url = settings.notify_url.get_secret_value() if settings.notify_url else None
    return open_gateway(url, settings.emails)


def forecast_of(settings: Settings, days: Sequence[date], clock: Clock) -> tuple[Forecast, Rates]:
    """What extracting these days would cost, and the averages that this rests on."""
    with genesys_client_of(settings, clock) as client:
        hits = count_hits(client, settings.business_days, days, settings.queue_ids)
    engine = engine_of(settings)
    with reading(engine) as connection:
        rates = measured_rates(accounts.measured_days(connection))
    cost = forecast(
        hits,
        rates,
        batch_size=settings.batch_size,
        requests_per_minute=settings.genesys_requests_per_minute,
    )
    return cost, rates


def expire_of(
    settings: Settings, retention_days: int, clock: Clock
) -> tuple[date, Iterator[ExpiredDay]]:
    """The oldest day that is kept, and what goes of each day before it, deleted as it is asked for.

    Raises `NotAllExpired` after the last day if something is left.
    """
    before = first_day_kept(settings.business_days, clock.now(), retention_days)
    engine, storage = engine_of(settings), storage_of(settings)
    return before, all_expired(expire(engine, settings.pg_schema, storage, before, clock))
