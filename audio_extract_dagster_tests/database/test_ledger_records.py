"""The table `audio_records`: what became of each recording."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from audio_extract_dagster.database.ledger import records
from audio_extract_dagster.database.ledger.records import Asked
from audio_extract_dagster.database.tables import audio_records
from audio_extract_dagster.model import Reason
from audio_extract_dagster_tests.builders import DAY, NOW, add_calls, call, recording, rows
from audio_extract_dagster_tests.database.ledger_records import give, load, shown, store

LATER = NOW + timedelta(days=3)


@pytest.fixture
def calls(engine: Engine) -> None:
    """The calls c-1 and c-2 of the day."""
    add_calls(engine, call("c-1"), call("c-2"))


_COUNT_STATEMENTS = """
CREATE TABLE statements (one int);
CREATE FUNCTION count_statement() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN INSERT INTO statements VALUES (1); RETURN NULL; END';
CREATE TRIGGER count_statement AFTER INSERT ON audio_records EXECUTE FUNCTION count_statement();
"""


@pytest.mark.usefixtures("calls")
def test_a_group_of_recordings_is_one_statement(engine: Engine) -> None:
    """One for each row would be a round trip for each file of a day."""
    with engine.begin() as connection:
        connection.execute(text(_COUNT_STATEMENTS))
    store(engine, *(recording(f"r-{number}") for number in range(50)))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM statements")) == 1


@pytest.mark.usefixtures("calls")
def test_a_stored_file_is_written_with_all_that_is_known(engine: Engine) -> None:
    store(engine, recording())
    (row,) = rows(engine, audio_records)
    assert row == {
        "conversation_id": "c-1",
        "recording_id": "r-1",
        "part": 0,
        "call_date": DAY,
        "batch_id": "b-1",
        "status": "STORED",
        "reason": None,
        "uri": "file:///r-1-0",
        "content_type": "audio/ogg",
        "size_bytes": 1000,
        "sha256": "ab" * 32,
        "duration_seconds": 30.0,
        "attempts": 1,
        "first_requested_at": NOW,
        "stored_at": NOW,
        "updated_at": NOW,
        "may_have_more": False,
    }


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("reason", list(Reason))
def test_a_reason_is_written_with_its_status(engine: Engine, reason: Reason) -> None:
    give(engine, {"r-1": reason})
    (row,) = rows(engine, audio_records)
    assert (row["status"], row["reason"]) == (reason.status.value, reason.code)
    assert (row["uri"], row["sha256"], row["stored_at"]) == (None, None, None)


@pytest.mark.usefixtures("calls")
def test_the_call_knows_what_was_written(engine: Engine) -> None:
    store(engine, recording("r-1"))
    give(engine, {"r-2": Reason.UPLOADING, "r-3": Reason.DELETED})
    found = load(engine)
    assert found.stored_ids == {"r-1"}
    assert found.unsettled_ids == {"r-2"}


@pytest.mark.usefixtures("calls")
def test_each_batch_is_one_more_attempt(engine: Engine) -> None:
    give(engine, {"": Reason.NOT_LISTED_YET})
    give(engine, {"r-1": Reason.UPLOADING}, batch_id="b-2")
    assert load(engine).attempts == 2


@pytest.mark.usefixtures("calls")
def test_the_file_takes_the_place_of_the_reason(engine: Engine) -> None:
    give(engine, {"r-1": Reason.UPLOADING})
    store(engine, recording(), now=LATER, batch_id="b-2")
    (row,) = rows(engine, audio_records)
    assert (row["status"], row["reason"], row["batch_id"]) == ("STORED", None, "b-2")
    assert (row["attempts"], row["first_requested_at"]) == (2, NOW)


@pytest.mark.usefixtures("calls")
def test_the_row_without_an_id_goes_with_the_first_row_that_has_one(engine: Engine) -> None:
    give(engine, {"": Reason.NOT_LISTED_YET}, "c-1")
    give(engine, {"": Reason.NOT_LISTED_YET}, "c-2")
    give(engine, {"r-1": Reason.UPLOADING}, "c-1")
    store(engine, recording("r-2", "c-2"))
    assert shown(engine, "c-1") == {("r-1", 0): "uploading"}
    assert shown(engine, "c-2") == {("r-2", 0): "STORED"}


@pytest.mark.usefixtures("calls")
def test_the_row_without_an_id_of_another_call_stays(engine: Engine) -> None:
    give(engine, {"": Reason.CALL_OPEN}, "c-2")
    store(engine, recording("r-1", "c-1"))
    assert shown(engine, "c-2") == {("", 0): "call_open"}


@pytest.mark.usefixtures("calls")
def test_a_doubt_about_a_call_goes_when_the_call_is_settled_without_one(engine: Engine) -> None:
    """Metadata could not be read beside a stored recording; the next run finds all is there."""
    store(engine, recording())
    give(engine, {"": Reason.METADATA_UNREADABLE})
    assert shown(engine) == {("", 0): "metadata_unreadable", ("r-1", 0): "STORED"}
    give(engine, {}, now=LATER)
    assert shown(engine) == {("r-1", 0): "STORED"}


@pytest.mark.usefixtures("calls")
def test_parts_are_replaced_together(engine: Engine) -> None:
    store(engine, recording(parts=[1, 2, 3]))
    assert set(shown(engine)) == {("r-1", 1), ("r-1", 2), ("r-1", 3)}
    store(engine, recording(parts=[1, 2]))
    assert set(shown(engine)) == {("r-1", 1), ("r-1", 2)}
    store(engine, recording())
    assert set(shown(engine)) == {("r-1", 0)}
    store(engine, recording(parts=[1, 2]), recording("r-2"))
    assert set(shown(engine)) == {("r-1", 1), ("r-1", 2), ("r-2", 0)}


@pytest.mark.usefixtures("calls")
def test_a_recording_that_arrives_in_part_and_then_whole_is_whole(engine: Engine) -> None:
    store(engine, recording(parts=[0]), recording("r-2"), recording(parts=[1, 2]))
    assert set(shown(engine)) == {("r-1", 1), ("r-1", 2), ("r-2", 0)}
    store(engine, recording("r-2"), recording("r-2"))
    assert set(shown(engine)) == {("r-1", 1), ("r-1", 2), ("r-2", 0)}


@pytest.mark.usefixtures("calls")
def test_a_lost_part_is_a_lost_recording(engine: Engine) -> None:
    store(engine, recording(parts=[1, 2]))
    give(engine, {"r-1": Reason.FILE_LOST})
    assert shown(engine) == {("r-1", 0): "file_lost"}


@pytest.mark.usefixtures("calls")
def test_the_first_request_stays_the_first_while_a_recording_is_open(engine: Engine) -> None:
    give(engine, {"r-1": Reason.UPLOADING})
    give(engine, {"r-1": Reason.TRANSFER_BROKEN, "r-2": Reason.UPLOADING}, now=LATER)
    first = {row["recording_id"]: row["first_requested_at"] for row in rows(engine, audio_records)}
    assert first == {"r-1": NOW, "r-2": LATER}
    assert {r.recording_id: r.first_requested_at for r in load(engine).records} == first


@pytest.mark.usefixtures("calls")
def test_a_call_that_was_open_was_not_asked_for_a_recording_yet(engine: Engine) -> None:
    give(engine, {"": Reason.CALL_OPEN})
    assert load(engine).unsettled_ids == frozenset()
    give(engine, {"": Reason.CALL_OPEN}, now=LATER)
    (row,) = rows(engine, audio_records)
    assert (row["first_requested_at"], row["attempts"]) == (NOW, 2)


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("settled", [Reason.LATE_AUDIO_EXPIRED, None])
def test_a_recording_that_was_settled_and_is_open_again_begins_anew(
    engine: Engine, settled: Reason | None
) -> None:
    if settled is None:
        store(engine, recording())
    else:
        give(engine, {"r-1": settled})
    assert load(engine).unsettled_ids == frozenset()
    give(engine, {"r-1": Reason.UPLOADING}, now=LATER)
    assert [record.first_requested_at for record in load(engine).records] == [LATER]


def test_no_rows_are_no_statement(engine: Engine) -> None:
    with engine.begin() as connection:
        records.write_stored(connection, Asked(DAY, None, NOW), [], {})
        records.write_reasons(connection, Asked(DAY, None, NOW), [])
    assert rows(engine, audio_records) == []
