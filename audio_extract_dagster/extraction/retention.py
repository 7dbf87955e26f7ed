"""Deletes what is older than it may be kept: audio, payloads, phone numbers. The account stays.

Every row remains, with size and checksum of what was there and the reason why it no longer is, so
that a day still adds up. Each day is done under its lock, in an order that a crash at any moment
leaves to the next pass: files without a row go, the rows say what goes, the files go, the rows
forget where they were.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.connection import reading, writing
from audio_extract_dagster.database.ledger import expiry
from audio_extract_dagster.database.locks import DayIsBusy, DayLock, day_lock
from audio_extract_dagster.errors import NotYet
from audio_extract_dagster.storage import AudioStorage, day_prefix, key_in, refuse_if_empty

log = logging.getLogger(__name__)

_AT_A_TIME = 500
_THREADS = 16


@dataclass(frozen=True)
class ExpiredDay:
    """What was deleted of one day. `elsewhere` counts files of another storage, which stay."""

    day: date
    files: int = 0
    bytes: int = 0
    payloads: int = 0
    elsewhere: int = 0
    busy: bool = False
    """A run works on the day: it is left to the next pass."""


class NotAllExpired(NotYet):
    """Something that is too old is still there."""


def first_day_kept(days: BusinessDays, now: datetime, retention_days: int) -> date:
    """The oldest day that is not old enough to go."""
    return days.day_of(now) - timedelta(days=retention_days)


def expire(
    engine: Engine, schema: str, storage: AudioStorage, before: date, clock: Clock
) -> Iterator[ExpiredDay]:
    """Delete what the days before `before` still have, oldest first, as the result is asked for."""
    with reading(engine) as connection:
        days = expiry.days_to_expire(connection, before)
    for day in days:
        try:
            with day_lock(engine, schema, day) as lock:
                done = _expire_day(engine, storage, day, clock.now(), lock)
        except DayIsBusy:
            done = ExpiredDay(day, busy=True)
        log.info("Retention: %s", done)
        yield done


def all_expired(days: Iterable[ExpiredDay]) -> Iterator[ExpiredDay]:
    """The same days; raises `NotAllExpired` after the last if something of them is left."""
    busy: list[str] = []
    elsewhere: list[int] = []
    for done in days:
        yield done
        if done.busy:
            busy.append(str(done.day))
        elif done.elsewhere:
            elsewhere.append(done.elsewhere)
    if not busy and not elsewhere:
        return
    told = ["Not all that is older than RETENTION_DAYS has gone."]
    if busy:
        told.append(f"Runs work on {', '.join(busy)}: left to the next pass.")
    if elsewhere:
        told.append(
            f"{sum(elsewhere)} files of {len(elsewhere)} days are in another storage: have "
            "`audio-extract expire` delete them there, with AUDIO_STORAGE_URI set to it."
        )
    raise NotAllExpired(" ".join(told))


def _expire_day(
    engine: Engine, storage: AudioStorage, day: date, now: datetime, lock: DayLock
) -> ExpiredDay:
    with reading(engine) as connection:
        files = expiry.files(connection, day)
    ours = {key: file for file in files if (key := key_in(storage, file.uri)) is not None}
    if any(file.is_stored for file in ours.values()):
        refuse_if_empty(storage)
    elsewhere = len(files) - len(ours)
    # What no row names goes first, while the day still has what makes the next pass look at it.
    # With rows of another storage it stays: that one may be this place by another name.
    strays = [] if elsewhere else _delete_strays(storage, day, ours, lock)
    with writing(engine) as connection:
        expiry.mark(connection, day, [file.uri for file in ours.values()], now)
        payloads = expiry.forget_details(connection, day)
    keys = list(ours)
    with ThreadPoolExecutor(_THREADS) as threads:
        for start in range(0, len(keys), _AT_A_TIME):
            some = keys[start : start + _AT_A_TIME]
            # Whoever has the day by now may have stored new files under these names.
            lock.check_unbroken()
            # A list, so that an error of any of them comes out here.
            list(threads.map(storage.delete, some))
            with writing(engine) as connection:
                expiry.forget_files(connection, day, [ours[key].uri for key in some])
    sizes = [file.size_bytes for file in ours.values()] + strays
    return ExpiredDay(day, len(sizes), sum(sizes), payloads, elsewhere)


def _delete_strays(
    storage: AudioStorage, day: date, named: Container[str], lock: DayLock
) -> list[int]:
    """Delete what a kill left without a row, half-written or whole; returns the sizes in bytes."""
    storage.remove_temporary(day)
    strays = [(key, size) for key, size in storage.list(day_prefix(day)) if key not in named]
    for start in range(0, len(strays), _AT_A_TIME):
        # A run names its files before it writes their rows.
        lock.check_unbroken()
        for key, _ in strays[start : start + _AT_A_TIME]:
            storage.delete(key)
    return [size for _, size in strays]
