"""Rows against files, both ways: every difference is found, and what is lost can be mended.

On an extracted day of the simulator, whose files and rows are then damaged by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from audio_extract_dagster.database.ledger import inventory, waiting
from audio_extract_dagster.extraction.late_audio import LONGEST_PAUSE, days_to_ask_again
from audio_extract_dagster.extraction.verification import (
    Difference,
    Finding,
    repair,
    verify_day,
    verify_with_genesys,
)
from audio_extract_dagster.model import RecordStatus
from audio_extract_dagster.simulator import Fault, World
from audio_extract_dagster.storage import FolderStorage, StorageUnavailable
from audio_extract_dagster_tests.postgres import Database
from audio_extract_dagster_tests.scenarios.day import TUESDAY, Scene
from audio_extract_dagster_tests.scenarios.ending import Key

Extract = Callable[[World], Scene]


@pytest.fixture
def extract(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Extract]:
    """Extracts the day of a world; nothing disturbs it."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with ExitStack() as scenes:

        def extract(world: World) -> Scene:
            scene = scenes.enter_context(Scene(world, database, tmp_path / "audio"))
            assert scene.run().error is None
            return scene

        yield extract


@pytest.fixture
def scene(extract: Extract) -> Scene:
    """Forty calls: every story and every situation of a recording at least once."""
    return extract(World(seed=7, calls_per_day=40))


def differences(scene: Scene, *, deep: bool = False) -> list[Finding]:
    found = list(verify_day(scene.engine, FolderStorage(scene.folder), TUESDAY))
    if deep:
        with scene.client() as client:
            found += verify_with_genesys(scene.engine, client, TUESDAY)
    return found


def change(scene: Scene, statement: str, key: Key) -> None:
    """Run a statement about the row of one recording."""
    call, recording, _ = key
    with scene.engine.begin() as connection:
        condition = "WHERE conversation_id = :call AND recording_id = :recording"
        values = {"call": call, "recording": recording}
        connection.execute(text(f"{statement} {condition}"), values)


def stored(scene: Scene, *, part: int = 0) -> list[Key]:
    """The stored recordings of one file, or the first files of those of several."""
    return sorted(key for key in scene.state().keys_with("STORED") if key[2] == part)


def name_of(scene: Scene, key: Key) -> str:
    """The name of a recording's file within the storage."""
    return str(scene.state().records[key]["uri"])


def remove(file: Path) -> None:
    file.unlink()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def spoil(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


FORGET = "DELETE FROM audio_records"
GIVE_UP = (
    "UPDATE audio_records SET status = 'MISSING', reason = 'deleted', uri = NULL, sha256 = NULL,"
    " size_bytes = NULL"
)
MOVE_AWAY = "UPDATE audio_records SET uri = 'gs://elsewhere/' || recording_id"


def test_a_sound_day_has_no_difference(scene: Scene) -> None:
    assert differences(scene, deep=True) == []


def test_ids_that_a_row_cannot_hold_are_no_difference(extract: Extract) -> None:
    hostile = extract(World(seed=3, calls_per_day=40, hostile_ids=True))
    assert any("\ufffd" in key[1] for key in hostile.state().records)
    assert differences(hostile, deep=True) == []


@pytest.mark.parametrize(
    ("damage", "difference"),
    [
        (remove, Difference.FILE_MISSING),
        (cut, Difference.SIZE_DIFFERS),
        (spoil, Difference.CHECKSUM_DIFFERS),
    ],
)
@pytest.mark.parametrize("part", [0, 2])
def test_a_file_that_is_not_what_its_row_says(
    scene: Scene, damage: Callable[[Path], None], difference: Difference, part: int
) -> None:
    key = stored(scene, part=part)[0]
    name = name_of(scene, key)
    damage(scene.folder / name)
    assert differences(scene, deep=True) == [Finding(difference, name, *key[:2])]


def test_a_row_whose_file_is_elsewhere(scene: Scene) -> None:
    key = stored(scene)[0]
    name = name_of(scene, key)
    change(scene, MOVE_AWAY, key)
    assert differences(scene) == [
        Finding(Difference.FOREIGN_URI, f"gs://elsewhere/{key[1]}", *key[:2]),
        Finding(Difference.FILE_WITHOUT_ROW, name),
    ]


def test_a_file_that_no_row_knows(scene: Scene) -> None:
    extra = Path(name_of(scene, stored(scene)[0])).with_name("extra.ogg")
    (scene.folder / extra).write_bytes(b"OggS")
    assert differences(scene) == [Finding(Difference.FILE_WITHOUT_ROW, extra.as_posix())]


def test_a_call_that_no_row_knows(scene: Scene) -> None:
    key = min(scene.state().keys_with("MISSING"))
    change(scene, FORGET, key)
    assert differences(scene) == [Finding(Difference.CALL_WITHOUT_RECORD, key[0])]


def test_a_recording_that_only_genesys_knows(scene: Scene) -> None:
    key = stored(scene)[0]
    change(scene, FORGET, key)
    found = differences(scene, deep=True)
    assert Finding(Difference.RECORDING_WITHOUT_ROW, "/".join(key[:2]), *key[:2]) in found


def test_a_recording_given_up_that_genesys_has(scene: Scene) -> None:
    key = stored(scene)[0]
    change(scene, GIVE_UP, key)
    found = differences(scene, deep=True)
    assert Finding(Difference.AVAILABLE_AFTER_ALL, "/".join(key[:2]), *key[:2]) in found


def test_a_call_that_may_not_be_asked_about_does_not_keep_others_from_it(scene: Scene) -> None:
    forbidden, forgotten = stored(scene)[0], stored(scene)[-1]
    change(scene, FORGET, forgotten)
    scene.simulator.faults.add(
        Fault("metadata", "status", times=None, match=forbidden[0], params={"status": 403})
    )
    found = differences(scene, deep=True)
    assert Finding(Difference.NOT_PERMITTED, forbidden[0]) in found
    assert Difference.RECORDING_WITHOUT_ROW in {each.difference for each in found}


def test_what_is_repaired_is_fetched_by_the_next_run_and_nothing_else(scene: Scene) -> None:
    undisturbed = scene.state()
    gone, short, spoilt, forgotten, given_up = stored(scene)[:5]
    in_parts = stored(scene, part=1)[0]
    for damage, key in ((remove, gone), (cut, short), (spoil, spoilt), (remove, in_parts)):
        damage(scene.folder / name_of(scene, key))
    change(scene, FORGET, forgotten)
    change(scene, GIVE_UP, given_up)
    lost = {key[:2] for key in (gone, short, spoilt, forgotten, given_up, in_parts)}
    files = scene.state().files

    found = differences(scene, deep=True)
    marked = repair(scene.engine, FolderStorage(scene.folder), TUESDAY, found, scene.clock.now())

    assert marked == len(lost)
    assert {key[:2] for key in scene.state().keys_with("FAILED")} == lost
    assert scene.state().files == files
    ending = scene.run()
    assert ending.state == undisturbed
    assert {key[:2] for key in ending.downloads} == lost


def test_what_no_run_can_fetch_is_left_as_it_is(scene: Scene) -> None:
    never_asked = min(scene.state().keys_with("MISSING"))
    change(scene, MOVE_AWAY, stored(scene)[0])
    change(scene, FORGET, never_asked)
    found = differences(scene)
    assert {each.difference for each in found} == {
        Difference.FOREIGN_URI,
        Difference.FILE_WITHOUT_ROW,
        Difference.CALL_WITHOUT_RECORD,
    }
    with scene.engine.connect() as connection:
        before = list(inventory.stored_files(connection, TUESDAY))
    files = set(scene.folder.rglob("*"))

    assert repair(scene.engine, FolderStorage(scene.folder), TUESDAY, found, scene.clock.now()) == 0

    with scene.engine.connect() as connection:
        assert list(inventory.stored_files(connection, TUESDAY)) == before
    assert set(scene.folder.rglob("*")) == files


def test_what_is_repaired_is_asked_for_by_itself_however_old_its_day_is(scene: Scene) -> None:
    scene.clock.advance(timedelta(days=90).total_seconds())
    remove(scene.folder / name_of(scene, stored(scene)[0]))
    now = scene.clock.now()
    repair(scene.engine, FolderStorage(scene.folder), TUESDAY, differences(scene), now)

    with scene.engine.connect() as connection:
        found = waiting.open_records(connection)
    lost = [each for each in found if each.status is RecordStatus.FAILED]
    again = days_to_ask_again(lost, now + LONGEST_PAUSE, timedelta(days=7), {})
    assert [each.day for each in again] == [TUESDAY]


def test_a_storage_that_is_away_marks_nothing(scene: Scene) -> None:
    scene.folder.rename(scene.folder.with_name("elsewhere"))
    found = differences(scene)
    assert {finding.difference for finding in found} == {Difference.FILE_MISSING}
    with pytest.raises(StorageUnavailable, match="is mounted"):
        repair(scene.engine, FolderStorage(scene.folder), TUESDAY, found, scene.clock.now())
