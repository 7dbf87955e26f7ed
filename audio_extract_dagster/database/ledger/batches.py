"""The table `audio_batches`: the intent before the request, the confirmation after, the end.

A batch request cannot be repeated or listed at Genesys, so its intent is written with its items
before it is sent: a run that dies at any point leaves a row that the next run can read.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection, exists, func, insert, select, update

from audio_extract_dagster.database.tables import audio_batches, extraction_jobs
from audio_extract_dagster.model import Batch, BatchStatus

_LEARN_FROM = 20


def plan(
    connection: Connection, batch: Batch, *, run_id: str, call_date: date, now: datetime
) -> None:
    """Write the intent, with its items."""
    connection.execute(
        insert(audio_batches).values(
            batch_id=batch.batch_id,
            call_date=call_date,
            run_id=run_id,
            batch_number=batch.number,
            status=BatchStatus.PLANNED.value,
            requested=[{"conversationId": each} for each in batch.conversation_ids],
            requested_count=len(batch.conversation_ids),
            planned_at=now,
        )
    )


def confirm(connection: Connection, batch: Batch) -> None:
    """Genesys has taken the request and named its job."""
    connection.execute(
        update(audio_batches)
        .where(audio_batches.c.batch_id == batch.batch_id)
        .values(
            status=BatchStatus.SUBMITTED.value,
            genesys_job_id=batch.genesys_job_id,
            submitted_at=batch.submitted_at,
        )
    )


def close(
    connection: Connection, batch: Batch, state: BatchStatus, *, error: str | None = None
) -> None:
    """The batch is over: every call in it has its answer, or it failed as a whole."""
    connection.execute(
        update(audio_batches)
        .where(audio_batches.c.batch_id == batch.batch_id)
        .values(
            status=state.value,
            expected_count=batch.expected_count,
            result_count=batch.result_count,
            error_count=batch.error_count,
            ignored_count=batch.ignored_count,
            completed_at=batch.completed_at,
            error=error,
        )
    )


def open_batches(connection: Connection, call_date: date) -> list[Batch]:
    """The day's batches that an earlier run left `PLANNED` or `SUBMITTED`, oldest first."""
    query = (
        select(audio_batches)
        .where(
            audio_batches.c.call_date == call_date,
            audio_batches.c.status.in_([BatchStatus.PLANNED.value, BatchStatus.SUBMITTED.value]),
        )
        .order_by(audio_batches.c.batch_number)
    )
    return [
        Batch(
            batch_id=row.batch_id,
            number=row.batch_number,
            conversation_ids=tuple(item["conversationId"] for item in row.requested),
            genesys_job_id=row.genesys_job_id,
            submitted_at=row.submitted_at,
        )
        for row in connection.execute(query)
    ]


def last_number(connection: Connection, call_date: date) -> int:
    """The highest batch number of the day, 0 if there is none."""
    query = select(func.max(audio_batches.c.batch_number)).where(
        audio_batches.c.call_date == call_date
    )
    return connection.execute(query).scalar_one() or 0


def usual_seconds(connection: Connection) -> list[float]:
    """How long the latest batches took from submission to completion, oldest first.

    Only batches that the run which submitted them saw complete: one that a later run took up tells
    how long nobody looked.
    """
    took = func.extract("epoch", audio_batches.c.completed_at - audio_batches.c.submitted_at)
    outlived_its_run = exists().where(
        extraction_jobs.c.run_id == audio_batches.c.run_id,
        extraction_jobs.c.finished_at < audio_batches.c.completed_at,
    )
    query = (
        select(took)
        .where(
            audio_batches.c.status == BatchStatus.COMPLETED.value,
            audio_batches.c.completed_at.is_not(None),
            audio_batches.c.submitted_at.is_not(None),
            ~outlived_its_run,
        )
        .order_by(audio_batches.c.completed_at.desc())
        .limit(_LEARN_FROM)
    )
    return [float(seconds) for seconds in connection.execute(query).scalars()][::-1]
