"""A run is killed at any moment of a day, and what is left becomes the day that nobody disturbed.

What that means is in `promises.py`. One test spreads its moments evenly over the day; each of the
others picks a moment that a run must survive, and makes sure that it was met.
"""

from __future__ import annotations

import signal
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import update

from audio_extract_dagster.database import tables
from audio_extract_dagster.database.ledger import batches
from audio_extract_dagster.simulator import Conversation, World
from audio_extract_dagster_tests.kill.experiment import (
    BATCH_SIZE,
    DAY,
    LOOKS,
    Experiment,
    evenly,
)
from audio_extract_dagster_tests.kill.leftovers import differences
from audio_extract_dagster_tests.kill.moments import Moment, Progress
from audio_extract_dagster_tests.kill.promises import Aftermath, Death, broken_promises
from audio_extract_dagster_tests.postgres import Database

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")

EVENLY = 16


def test_the_undisturbed_day_is_worth_killing(calm: Aftermath) -> None:
    """A day of 500 calls and more, of which everything happens that a run may meet."""
    assert broken_promises(calm, calm) == []
    assert calm.end.counts.agent_calls >= 500
    assert calm.end.counts.stored >= 400
    assert calm.end.counts.pending > 0
    assert calm.end.counts.missing > 0
    assert calm.batches_again == 0
    # Pending recordings are asked for again by every run: they must find room in the last batch,
    # so that each batch more is one that was asked for twice.
    last = calm.end.batches[-1]["requested_count"]
    assert len(calm.end.open_calls) <= BATCH_SIZE - last


@pytest.mark.parametrize("point", range(EVENLY))
def test_at_any_moment(experiment: Experiment, calm: Aftermath, point: int) -> None:
    experiment.kill(evenly(point, EVENLY, calm))
    assert broken_promises(experiment.finish(), calm) == []


def test_again_and_again(experiment: Experiment, calm: Aftermath) -> None:
    """Each run is killed in its turn; each gets a little further."""
    for number in (60, 150, 90, 120):
        experiment.kill(Moment(number, progress=Progress.ACTED))
    assert broken_promises(experiment.finish(), calm) == []


def test_before_its_job_is_written(experiment: Experiment, calm: Aftermath) -> None:
    death = experiment.kill(Moment(0, writing="extraction_jobs"))
    assert death.left.jobs == []
    assert death.left.requests == {}
    assert broken_promises(experiment.finish(), calm) == []


def test_in_the_middle_of_the_copy_of_conversations(
    experiment: Experiment, calm: Aftermath
) -> None:
    death = experiment.kill(Moment(4, "details_query", Progress.HALF_SENT))
    assert death.left.stage == "conversations"
    assert death.left.state.conversations == {}
    assert broken_promises(experiment.finish(), calm) == []


@pytest.mark.parametrize("table", ["conversations", "agent_calls"])
def test_when_the_rows_of_a_day_are_about_to_be_exchanged(
    experiment: Experiment, calm: Aftermath, table: str
) -> None:
    death = experiment.kill(Moment(1, "details_query", writing=table))
    assert death.left.stage == table
    assert getattr(death.left.state, table) == {}
    assert broken_promises(experiment.finish(), calm) == []


def test_taken_up_hours_later(experiment: Experiment, database: Database, calm: Aftermath) -> None:
    """How long nobody looked at a batch is not how long Genesys took for it."""
    experiment.kill(Moment(5, "batch_submit"))
    hours = timedelta(hours=8)
    submitted, started = tables.audio_batches.c.submitted_at, tables.extraction_jobs.c.started_at
    left_open = update(submitted.table).where(tables.audio_batches.c.completed_at.is_(None))
    with database.engine.begin() as connection:
        connection.execute(left_open.values({submitted: submitted - hours}))
        connection.execute(update(started.table).values({started: started - hours}))
    experiment.finish_batches_at_look(1)  # they have been ready for long
    assert broken_promises(experiment.finish(), calm) == []
    with database.engine.connect() as connection:
        assert max(batches.usual_seconds(connection)) < hours.total_seconds() / 2


def intents(death: Death) -> int:
    """Batches that were planned and of which the run has no answer."""
    return len(death.left.batches_in("PLANNED"))


def test_between_the_intent_and_the_batch_request(experiment: Experiment, calm: Aftermath) -> None:
    death = experiment.kill(Moment(5, "batch_submit"))
    assert (intents(death), len(death.left.submitted)) == (1, 4)
    after = experiment.finish()
    assert broken_promises(after, calm) == []
    assert after.batches_again == 0
    assert [batch["error"] for batch in after.end.batches_in("FAILED")] == ["reply_lost"]


def test_between_the_batch_request_and_its_answer(experiment: Experiment, calm: Aftermath) -> None:
    death = experiment.kill(Moment(5, "batch_submit", Progress.ACTED))
    assert (intents(death), len(death.left.submitted)) == (1, 5)
    after = experiment.finish()
    assert broken_promises(after, calm) == []
    assert after.batches_again == 1


def test_between_the_answer_and_the_confirmation(experiment: Experiment, calm: Aftermath) -> None:
    death = experiment.kill(Moment(5, "batch_submit", Progress.ACTED, writing="audio_batches"))
    assert (intents(death), len(death.left.submitted)) == (1, 5)
    after = experiment.finish()
    assert broken_promises(after, calm) == []
    assert after.batches_again == 1


def test_in_the_middle_of_a_file(experiment: Experiment, calm: Aftermath) -> None:
    death = experiment.kill(Moment(200, "download", Progress.HALF_SENT))
    assert any(name.endswith(".part") for name in death.left.state.files)
    assert broken_promises(experiment.finish(), calm) == []


def test_between_a_file_and_its_row(experiment: Experiment, calm: Aftermath) -> None:
    death = experiment.kill(Moment(100, "download", writing="audio_records"))
    whole = [name for name in death.left.state.files if not name.endswith(".part")]
    assert len(whole) > len(death.left.state.keys_with("STORED"))
    assert broken_promises(experiment.finish(), calm) == []


def two_recordings(world: World) -> Conversation:
    """A call of which Genesys has two recordings to give."""
    return next(
        call
        for call in world.conversations(DAY)
        if call.has_agent and [r.state for r in call.recordings] == ["AVAILABLE"] * 2
        if {r.media for r in call.recordings} == {"audio"}
    )


def test_between_the_two_recordings_of_a_call(
    experiment: Experiment, calm: Aftermath, world: World
) -> None:
    """One is stored and has its row, the other has nothing yet that tells of it."""
    call = two_recordings(world)
    first, second = (recording.id for recording in call.recordings)
    death = experiment.kill(
        Moment(1, "download", path=f"/files/{quote(call.id, safe='')}/1/0", stored=first)
    )
    assert (call.id, first, 0) in death.left.state.records
    assert (call.id, second, 0) not in death.left.state.records
    assert broken_promises(experiment.finish(), calm) == []


def test_between_the_two_recordings_of_a_call_whose_batch_is_gone(
    experiment: Experiment, calm: Aftermath, world: World
) -> None:
    """Nothing of the dead run can be read again, and the stored recording hides no other."""
    call = two_recordings(world)
    first = call.recordings[0].id
    death = experiment.kill(
        Moment(1, "download", path=f"/files/{quote(call.id, safe='')}/1/0", stored=first)
    )
    experiment.forget_batches(len(death.left.batches_in("SUBMITTED")))
    after = experiment.finish()
    assert differences(after.end.state, calm.end.state) == []
    assert after.stored_fetched_again(calm) == 0


def in_parts(world: World) -> Conversation:
    """A call whose recording comes in several files."""
    return next(
        call
        for call in world.conversations(DAY)
        if call.has_agent and any(recording.parts > 1 for recording in call.recordings)
    )


def test_between_the_parts_of_a_recording(
    experiment: Experiment, calm: Aftermath, world: World
) -> None:
    """Its first file was shown alone and stored as if it were the only one."""
    call = in_parts(world)
    recording = call.recordings[0].id
    # More looks than results: each look shows one result more at most.
    experiment.finish_batches_at_look(2 * BATCH_SIZE)
    death = experiment.kill(
        Moment(1, "download", path=f"/files/{quote(call.id, safe='')}/0/1", stored=recording)
    )
    assert (call.id, recording, 0) in death.left.state.records
    experiment.finish_batches_at_look(LOOKS)
    assert broken_promises(experiment.finish(), calm) == []


def test_before_a_call_is_settled(experiment: Experiment, calm: Aftermath) -> None:
    death = experiment.kill(Moment(20, "metadata"))
    assert death.left.batches_in("SUBMITTED")
    assert broken_promises(experiment.finish(), calm) == []


def test_before_the_last_batch_is_closed(experiment: Experiment, calm: Aftermath) -> None:
    last_look = calm.end.requests["batch_poll"]
    death = experiment.kill(
        Moment(last_look, "batch_poll", Progress.ACTED, writing="audio_batches")
    )
    assert len(death.left.submitted) == len(calm.end.submitted)
    assert len(death.left.batches_in("SUBMITTED")) >= 1
    assert broken_promises(experiment.finish(), calm) == []


def test_before_the_day_is_closed(experiment: Experiment, calm: Aftermath) -> None:
    """Everything is done, and nobody was told."""
    death = experiment.kill(Moment(1, "token", writing="notifications"))
    assert death.left.state == calm.end.state
    assert death.left.jobs[-1]["status"] == "RUNNING"
    after = experiment.finish()
    assert broken_promises(after, calm) == []
    assert after.end.downloads == {}
