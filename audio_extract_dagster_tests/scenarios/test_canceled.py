"""A run that is canceled from outside, wherever it stands: what it has is written down."""

from __future__ import annotations

import pytest

from audio_extract_dagster.extraction.verification import Difference, verify_day
from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.storage import FolderStorage
from audio_extract_dagster_tests.scenarios.day import TUESDAY, Scene
from audio_extract_dagster_tests.scenarios.ending import Ending


def cancel(_: str) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def canceled(scene: Scene) -> Ending:
    """A run that ends with its first batch, when others are on their way."""
    undisturbed, scene.report = scene.report, cancel
    with pytest.raises(KeyboardInterrupt):
        scene.attempt("canceled")
    scene.report = undisturbed
    return scene.ending("canceled")


def test_every_file_that_came_has_its_row(scene: Scene, canceled: Ending) -> None:
    assert canceled.status is JobStatus.CANCELED
    assert canceled.state.keys_with("STORED")
    found = verify_day(scene.engine, FolderStorage(scene.folder), TUESDAY)
    assert Difference.FILE_WITHOUT_ROW not in {finding.difference for finding in found}


def test_the_next_run_fetches_only_the_rest(scene: Scene, canceled: Ending, calm: Ending) -> None:
    after = scene.run_undisturbed()
    assert after.state == calm.state
    assert not after.downloads.keys() & canceled.state.keys_with("STORED")
