"""All that can go wrong, at random, in the same run."""

from __future__ import annotations

from typing import Any

from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.simulator import Fault
from audio_extract_dagster_tests.scenarios.day import Scene
from audio_extract_dagster_tests.scenarios.ending import Ending

READS = ("token", "details_query", "settings", "batch_poll", "metadata", "download")
ALL = (*READS, "batch_submit")

# Kind, parameters, and the operations that Genesys may answer in this way without lying: a 404 for
# metadata says that there are none.
TROUBLE: tuple[tuple[str, dict[str, Any], tuple[str, ...]], ...] = (
    ("status", {"status": 500}, ALL),
    ("status", {"status": 503, "headers": {"Retry-After": 9}}, ALL),
    ("status", {"status": 504, "body": ""}, ALL),
    ("status", {"status": 403, "body": "<Error/>"}, ("download",)),
    ("rate_limited", {"retry_after": 30}, ALL),
    ("rate_limited", {"retry_after": None}, ALL),
    ("html", {"status": 502}, ALL),
    ("html", {"status": 200}, ALL),
    ("garbage", {}, ALL),
    ("empty_body", {}, ALL),
    ("truncate", {}, ALL),
    ("shorten", {"keep": 0.3}, ALL),
    ("reset_before", {}, ALL),
    ("reset_after", {}, ALL),
    ("slow", {"seconds": 30}, ALL),
    ("revoke_token", {}, READS[1:-1]),
    ("mutate", {"path": "results.0", "remove": True}, ("batch_poll",)),
    ("mutate", {"path": "results.0.resultUrl", "remove": True}, ("batch_poll",)),
    ("mutate", {"path": "status", "value": "Dreaming"}, ("batch_poll",)),
    ("mutate", {"path": "conversations.5", "remove": True}, ("details_query",)),
    ("mutate", {"path": "totalHits", "value": 7}, ("details_query",)),
    ("mutate", {"path": "0.fileState", "value": "UNHEARD_OF"}, ("metadata",)),
)


def troubled(scene: Scene, probability: float) -> None:
    """Each kind of trouble may strike each request that it can strike."""
    for kind, params, operations in TROUBLE:
        for operation in operations:
            scene.simulator.faults.add(
                Fault(operation, kind, times=None, probability=probability, params=params)
            )


def test_one_request_in_twenty_goes_wrong(scene: Scene, calm: Ending) -> None:
    """The day is whole after the first run but for what was unlucky twice, and that is told."""
    troubled(scene, 0.05 / len(TROUBLE))
    ending = scene.run()
    assert ending.error is None
    stored = ending.state.keys_with("STORED")
    lost = {key[:2] for key in calm.state.keys_with("STORED") - stored}
    told = {key[:2] for key in ending.state.keys_with("FAILED") | ending.state.keys_with("PENDING")}
    assert lost <= told
    assert ending.api_requests <= 2 * calm.api_requests

    assert scene.run_undisturbed().state == calm.state


def test_every_kind_of_trouble_at_one_in_twenty(scene: Scene, calm: Ending) -> None:
    """More than every other request goes wrong. A few runs later everything is there."""
    troubled(scene, 0.05)
    for _ in range(12):
        ending = scene.run()
        told = {k[0] for k in ending.state.keys_with("FAILED") | ending.state.keys_with("PENDING")}
        missing = calm.state.keys_with("STORED") - ending.state.keys_with("STORED")
        if ending.status is not JobStatus.FAILED:
            assert {key[0] for key in missing} <= told
        if not missing and ending.error is None:
            break
    assert not missing

    after = scene.run_undisturbed()
    assert after.state == calm.state
    assert after.downloads == {}
