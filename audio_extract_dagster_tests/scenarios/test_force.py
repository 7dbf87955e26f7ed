"""Fetching again by force what is stored, when Genesys has other files by now."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from audio_extract_dagster.database.connection import DatabaseUnavailable
from audio_extract_dagster.model import OPEN_CALLS, Ask, Selection
from audio_extract_dagster.simulator import Recording, World
from audio_extract_dagster_tests.scenarios.conftest import SceneMaker
from audio_extract_dagster_tests.scenarios.day import TUESDAY, Scene
from audio_extract_dagster_tests.scenarios.ending import DayState, Ending

BY_FORCE = Selection(Ask.ALL_CALLS)


class ChangingFiles(World):
    """Gives every file as it is, and later another one in its place; the second part not at all."""

    def __init__(self) -> None:
        super().__init__(seed=7, calls_per_day=40)
        self.changed = False
        calls = (call for call in self.conversations(TUESDAY) if call.has_agent)
        self.others = next(call.recordings[0] for call in calls if call.recordings)

    def content(self, recording: Recording, part: int) -> bytes:
        if not self.changed:
            return super().content(recording, part)
        return b"no audio" if part == 1 else super().content(self.others, 0)


@pytest.fixture
def files() -> ChangingFiles:
    return ChangingFiles()


@pytest.fixture
def scene(make_scene: SceneMaker, files: ChangingFiles) -> Scene:
    """A day that was extracted, and is asked for again by force after its files have changed."""
    scene = make_scene(files)
    scene.run_undisturbed()
    files.changed = True
    scene.selection = BY_FORCE
    return scene


def by_stem(state: DayState) -> dict[str, str]:
    """What each file holds, by its name without the extension, which may change too."""
    return {name.rpartition(".")[0]: content for name, content in state.files.items()}


def refuse_stored_rows(scene: Scene, *, times: int) -> None:
    """Has the database refuse so many rows of stored files, as if its disk were full."""
    with scene.engine.begin() as connection:
        for statement in (
            "CREATE SEQUENCE refusals",
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF nextval('refusals') <= {times} THEN RAISE disk_full"
            " USING MESSAGE = 'could not extend file: No space left'; END IF; RETURN NEW; END $$",
            "CREATE TRIGGER full_disk BEFORE UPDATE ON audio_records FOR EACH ROW"
            " WHEN (NEW.status = 'STORED') EXECUTE FUNCTION full_disk()",
        ):
            connection.execute(text(statement))


def test_a_step_that_is_tried_again_still_fetches_everything(scene: Scene) -> None:
    """The second try takes up the batches that the first one left open."""
    before = by_stem(scene.state())
    refuse_stored_rows(scene, times=1)
    ending = scene.run()
    assert ending.error is None
    after = by_stem(ending.state)
    unchanged = {stem for stem in before if after[stem] == before[stem]}
    # Two parts that do not come whole, and the file that all others are now like.
    assert len(unchanged) == 3


def test_all_parts_take_their_places_or_none(scene: Scene) -> None:
    before = by_stem(scene.state())
    ending = scene.run()
    assert ending.error is None
    after = by_stem(ending.state)
    assert after.keys() == before.keys()
    unchanged = {stem for stem in before if after[stem] == before[stem]}
    in_parts = {stem for stem in before if stem.endswith(("-1", "-2"))}
    assert len(in_parts) == 2
    assert in_parts < unchanged
    assert len(unchanged - in_parts) == 1  # the file that all others are now like


def test_no_row_claims_a_file_that_another_has_replaced(scene: Scene, calm: Ending) -> None:
    """The database refuses the rows of the new files, which have their names by then."""
    refuse_stored_rows(scene, times=1000)
    broken = scene.run()
    assert isinstance(broken.error, DatabaseUnavailable)
    assert broken.state.keys_with("STORED") < calm.state.keys_with("STORED")

    with scene.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER full_disk ON audio_records"))
    scene.selection = OPEN_CALLS
    ending = scene.run()
    assert ending.error is None
    assert ending.state.keys_with("STORED") == calm.state.keys_with("STORED")
