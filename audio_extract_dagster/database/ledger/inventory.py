"""The files that `audio_records` claims to be there, for whole days.

Read only; rows are written by `records.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from audio_extract_dagster.database.tables import audio_records
from audio_extract_dagster.model import RecordStatus

_ROWS_PER_FETCH = 2000


@dataclass(frozen=True)
class FileRow:
    """A `STORED` row: the file that must be there."""

    conversation_id: str
    recording_id: str
    uri: str
    size_bytes: int
    sha256: str


def stored_files(connection: Connection, call_date: date) -> Iterator[FileRow]:
    """The files that the rows of the day claim, in the order of their URIs, byte by byte.

    A stream: only some thousand rows are in memory at a time.
    """
    names = [audio_records.c[name] for name in FileRow.__dataclass_fields__]
    query = (
        select(*names)
        .where(
            audio_records.c.call_date == call_date,
            audio_records.c.status == RecordStatus.STORED.value,
        )
        .order_by(audio_records.c.uri.collate("C"))
    )
    for row in connection.execute(query, execution_options={"yield_per": _ROWS_PER_FETCH}):
        yield FileRow(**row._mapping)


def newest_files(connection: Connection, limit: int) -> list[str]:
    """The URIs of some files that rows of the last days claim."""
    query = (
        select(audio_records.c.uri)
        .where(audio_records.c.status == RecordStatus.STORED.value)
        .order_by(audio_records.c.call_date.desc())
        .limit(limit)
    )
    return list(connection.execute(query).scalars())
