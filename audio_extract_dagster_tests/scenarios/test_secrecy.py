"""What must stay secret does: in logs, errors, messages and tables, however badly a run goes."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from audio_extract_dagster.database.tables import metadata
from audio_extract_dagster.simulator import Fault, World
from audio_extract_dagster_tests.scenarios.day import CLIENT_ID, CLIENT_SECRET, TUESDAY, Scene
from audio_extract_dagster_tests.scenarios.ending import Ending
from audio_extract_dagster_tests.scenarios.test_everything_at_once import troubled

# Where the contract keeps what the platform said, and who called whom.
_ALLOWED = {("conversations", "payload"), ("agent_calls", "ani"), ("agent_calls", "dnis")}


@pytest.fixture
def secrets(scene: Scene, world: World) -> set[str]:
    """Known ones now; tokens and signatures are added as the simulator gives them out."""
    found = {CLIENT_SECRET, base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()}
    for call in world.conversations(TUESDAY):
        found |= set(_personal(call.payload))

    def tokens(answer: Any) -> object:
        found.add(answer.get("access_token") or CLIENT_SECRET)
        return answer

    def signatures(answer: Any) -> object:
        urls = (each.get("resultUrl", "") for each in answer.get("results") or ())
        found.update(url.rpartition("X-Amz-Signature=")[2] for url in urls if url)
        return answer

    for operation, change in (("token", tokens), ("batch_poll", signatures)):
        fault = Fault(operation, "mutate", times=None, probability=0.7, change=change)
        scene.simulator.faults.add(fault)
    return found


def _personal(value: Any) -> Iterator[str]:
    """Numbers and names of people; queue and flow names are none."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("ani", "dnis", "sessionDnis") and isinstance(inner, str):
                yield inner.rpartition(":")[2]
            elif key == "participantName" and value.get("purpose") == "customer":
                yield inner
            yield from _personal(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _personal(inner)


def everything_said(scene: Scene, endings: list[Ending], log: str) -> Iterator[str]:
    """All that a person may come to see."""
    yield log
    for ending in endings:
        yield repr(ending.job)
        if ending.error:
            yield "".join(traceback.format_exception(ending.error))
            yield repr(ending.error)
    for table in metadata.sorted_tables:
        for row in scene.rows(table):
            shown = {n: v for n, v in row.items() if (table.name, n) not in _ALLOWED}
            yield f"{table.name}: {shown}"


def test_nothing_secret_is_said(
    scene: Scene, secrets: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    # The simulator stands for the other side: what it writes down is not ours.
    logging.getLogger("audio_extract_dagster.simulator").setLevel(logging.CRITICAL)
    try:
        troubled(scene, 0.03)
        endings = [scene.run() for _ in range(4)]
        fault = Fault("token", "status", times=None, params={"status": 401})
        scene.simulator.faults.clear()
        scene.simulator.faults.add(fault)
        endings.append(scene.run())
        scene.simulator.faults.clear()
        for operation in ("details_query", "batch_submit"):
            scene.simulator.switches.missing_permissions = (operation,)
            endings.append(scene.run())
    finally:
        logging.getLogger("audio_extract_dagster.simulator").setLevel(logging.NOTSET)
    assert len(secrets) > 40
    assert sum(ending.error is not None for ending in endings) >= 2
    for said in everything_said(scene, endings, caplog.text):
        for secret in secrets:
            assert secret not in said
