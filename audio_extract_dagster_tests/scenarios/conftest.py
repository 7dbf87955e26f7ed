"""A contact centre of forty calls, one undisturbed day of it, and a scene to disturb.

With `FAULT_MATRIX=file` in the environment each scenario adds its line to a Markdown table there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from audio_extract_dagster.simulator import Source, World
from audio_extract_dagster_tests.postgres import Database, Server
from audio_extract_dagster_tests.scenarios.day import Scene
from audio_extract_dagster_tests.scenarios.ending import DayState, Ending

SceneMaker = Callable[..., Scene]


@pytest.fixture(scope="package", autouse=True)
def no_surroundings() -> Iterator[None]:
    """The proxies of the machine that runs the tests are not theirs."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            environment.delenv(name, raising=False)
            environment.delenv(name.upper(), raising=False)
        yield


@pytest.fixture(scope="session")
def world() -> World:
    """Forty calls: every story and every situation of a recording at least once."""
    return World(seed=7, calls_per_day=40)


@pytest.fixture(scope="package")
def calm(
    no_surroundings: None,
    world: World,
    postgres_server: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Ending:
    """How a run of the day ends that nothing disturbs."""
    with (
        postgres_server.database() as database,
        Scene(world, database, tmp_path_factory.mktemp("calm")) as scene,
    ):
        return scene.run()


@pytest.fixture
def make_scene(database: Database, tmp_path: Path) -> Iterator[SceneMaker]:
    """Makes scenes that end with the test, on one database and one folder."""
    with ExitStack() as scenes:

        def make(source: Source, **options: Any) -> Scene:
            return scenes.enter_context(Scene(source, database, tmp_path / "audio", **options))

        yield make


@pytest.fixture
def scene(
    make_scene: SceneMaker, world: World, calm: Ending, request: pytest.FixtureRequest
) -> Iterator[Scene]:
    """The day of `calm`, not yet run."""
    scene = make_scene(world)
    yield scene
    if matrix := os.environ.get("FAULT_MATRIX"):
        with Path(matrix).open("a") as file:
            file.write(_matrix_line(request.node, scene.endings, calm))


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """What differs between two states of the day, a line for each row and file."""
    if op != "==" or not (isinstance(left, DayState) and isinstance(right, DayState)):
        return None
    lines = ["the states of the day differ:"]
    for table in ("conversations", "agent_calls", "records", "files"):
        mine, other = getattr(left, table), getattr(right, table)
        lines += [
            f"{table} {key}: {mine.get(key, 'nothing')} instead of {other.get(key, 'nothing')}"
            for key in sorted(mine.keys() | other.keys())
            if mine.get(key) != other.get(key)
        ]
    return lines


def _matrix_line(test: pytest.Item, endings: list[Ending], calm: Ending) -> str:
    """Where and what, how each run ended, whether the last one left the day as undisturbed."""
    area = test.path.stem.removeprefix("test_").replace("_", " ")
    fault = test.name.removeprefix("test_").replace("|", "/")
    did = " → ".join(
        f"{ending.status.value if ending.status else 'no job'}"
        + (f" ({type(ending.error).__name__})" if ending.error else "")
        for ending in endings
    )
    same = "undisturbed" if endings and endings[-1].state == calm.state else "as the test says"
    spent = " + ".join(str(ending.api_requests) for ending in endings)
    return f"| {area} | {fault} | {did} | {same} | {spent} vs {calm.api_requests} |\n"
