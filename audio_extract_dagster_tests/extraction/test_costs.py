"""What a day costs, counted: requests, looks, files, statements, rows in memory. Never seconds.

Real HTTP, PostgreSQL and files, on a clock that jumps; a day has 400 calls, and Genesys takes three
minutes for a batch.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from audio_extract_dagster.database.tables import conversations
from audio_extract_dagster.extraction.collection.collect import QUEUED_PER_THREAD, CollectionLimits
from audio_extract_dagster.extraction.listing import PAGE_SIZE
from audio_extract_dagster.model import CallToAsk
from audio_extract_dagster.simulator import World
from audio_extract_dagster_tests.postgres import Database, Server
from audio_extract_dagster_tests.scenarios.day import LIMITS, TUESDAY, Scene
from audio_extract_dagster_tests.scenarios.ending import Row

CALLS = 400
BATCH_SECONDS = 180.0
BATCH_SIZE = 20
WEDNESDAY = date(2026, 3, 11)


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=11, calls_per_day=CALLS)


@pytest.fixture(scope="module", autouse=True)
def no_proxy() -> Iterator[None]:
    """The proxies of the machine that runs the tests are not theirs."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NO_PROXY", "127.0.0.1")
        environment.setenv("no_proxy", "127.0.0.1")
        yield


ON_A_DAY = replace(LIMITS, batch_size=BATCH_SIZE)


@contextmanager
def day_of(
    world: World,
    database: Database,
    folder: Path,
    day: date = TUESDAY,
    limits: CollectionLimits = ON_A_DAY,
) -> Iterator[Scene]:
    """A day in which batches take three minutes and files are small."""
    with Scene(world, database, folder, day=day, limits=limits) as scene:
        scene.simulator.switches.batch_seconds = BATCH_SECONDS
        scene.simulator.switches.audio_bytes = 2000
        yield scene


@dataclass(frozen=True)
class Spent:
    """What one day took and what it brought; `downloads` are files with how often."""

    requests: Mapping[str, int]
    downloads: Mapping[tuple[Any, ...], int]
    hits: int
    calls: list[Row]
    records: list[Row]


@pytest.fixture(scope="module")
def spent(
    world: World, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[date, Spent]]:
    """A Tuesday, when nothing is learnt yet, and the Wednesday after it."""
    folder = tmp_path_factory.mktemp("audio")
    days = {}
    with postgres_server.database() as database:
        for day in (TUESDAY, WEDNESDAY):
            with day_of(world, database, folder, day) as scene:
                assert scene.attempt(f"run of {day}") is None
                ending = scene.ending(f"run of {day}")
            of_day = [
                [row for row in rows.values() if row["call_date"] == day]
                for rows in (
                    ending.state.conversations,
                    ending.state.agent_calls,
                    ending.state.records,
                )
            ]
            days[day] = Spent(
                ending.requests, ending.downloads, len(of_day[0]), of_day[1], of_day[2]
            )
        yield days


on_both_days = pytest.mark.parametrize("day", [TUESDAY, WEDNESDAY], ids=["first", "second"])


@on_both_days
def test_pages_and_batches_are_at_their_bound(spent: Mapping[date, Spent], day: date) -> None:
    of_day = spent[day]
    assert of_day.requests["details_query"] <= ceil(of_day.hits / PAGE_SIZE) + 2
    assert of_day.requests["batch_submit"] <= ceil(len(of_day.calls) / BATCH_SIZE) + 2
    assert of_day.requests["token"] == of_day.requests["settings"] == 1


@on_both_days
def test_metadata_is_asked_only_where_results_are_missing(
    spent: Mapping[date, Spent], day: date
) -> None:
    of_day = spent[day]
    not_stored = {row["conversation_id"] for row in of_day.records if row["status"] != "STORED"}
    stored = Counter(row["conversation_id"] for row in of_day.records if row["status"] == "STORED")
    short = {
        call["conversation_id"]
        for call in of_day.calls
        if stored[call["conversation_id"]] < call["recording_sessions"]
    }
    assert 0 < of_day.requests["metadata"] <= len(not_stored | short)


@on_both_days
def test_each_file_is_fetched_once(spent: Mapping[date, Spent], day: date) -> None:
    """All parts of a recording come together: a look that sees one more fetches them again."""
    of_day = spent[day]
    stored = [row for row in of_day.records if row["status"] == "STORED"]
    assert len(of_day.downloads) == len(stored)
    in_parts = {(row["conversation_id"], row["recording_id"]) for row in stored if row["part"]}
    again = {key[:2] for key, times in of_day.downloads.items() if times > 1}
    assert again <= in_parts
    assert sum(of_day.downloads.values()) <= len(stored) + 3 * len(in_parts)


def test_a_batch_costs_few_looks_once_its_usual_time_is_learnt(
    spent: Mapping[date, Spent],
) -> None:
    unknowing, knowing = spent[TUESDAY].requests, spent[WEDNESDAY].requests
    assert knowing["batch_poll"] <= 4 * knowing["batch_submit"]
    assert unknowing["batch_poll"] <= 7 * unknowing["batch_submit"]


@contextmanager
def watching(engine: Engine, see: Callable[[str], None]) -> Iterator[None]:
    """Shows every statement that the engine sends."""

    def before(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        see(statement)

    event.listen(engine, "before_cursor_execute", before)
    yield
    event.remove(engine, "before_cursor_execute", before)


def test_statements_grow_with_batches_and_not_with_calls(
    world: World, database: Database, tmp_path: Path
) -> None:
    def costs(day: date, size: int) -> tuple[int, int]:
        """Statements and batches of a day."""
        statements: list[str] = []
        with (
            day_of(world, database, tmp_path, day, replace(LIMITS, batch_size=size)) as scene,
            watching(database.engine, statements.append),
        ):
            assert scene.attempt(f"run of {day}") is None
            return len(statements), scene.simulator.counters["batch_submit"]

    many, many_batches = costs(TUESDAY, 10)
    few, few_batches = costs(WEDNESDAY, 50)
    assert many_batches >= 4 * few_batches
    # Plan, confirm, rows of stored files, reasons, close, each with a look at the lock.
    per_batch = (many - few) / (many_batches - few_batches)
    assert per_batch <= 14
    assert few <= 80 + 14 * few_batches


@pytest.fixture
def nothing_earlier() -> Iterator[None]:
    """What is in memory already is left out of what the garbage collector knows."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("nothing_earlier")
def test_only_the_calls_on_their_way_are_in_memory(
    world: World, database: Database, tmp_path: Path
) -> None:
    size, in_flight, threads = 10, 3, 1
    held: list[int] = []

    def count(statement: str) -> None:
        if statement.startswith("INSERT INTO audio_batches"):
            held.append(_calls_in_memory())

    limits = replace(
        LIMITS, batch_size=size, batches_in_flight=in_flight, download_concurrency=threads
    )
    with (
        day_of(world, database, tmp_path, limits=limits) as scene,
        watching(database.engine, count),
    ):
        assert scene.attempt("run") is None
    assert len(held) >= len(scene.rows(conversations)) // size // 2
    # Those that Genesys prepares, those whose files wait for a thread, one whose files are being
    # fetched, one that is settled, and the one that is about to be asked for.
    waiting = QUEUED_PER_THREAD * threads // size
    assert max(held) <= (in_flight + waiting + 3) * size


def _calls_in_memory() -> int:
    gc.collect()
    return sum(type(each) is CallToAsk for each in gc.get_objects())
