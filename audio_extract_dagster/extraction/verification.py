"""Do rows and files say the same? Both ways, checksums recomputed; and can it be mended?

Read only, but for `repair`, which marks what is lost so that the next run of the day fetches it. No
file is ever deleted here: a file without a row may be all that is left of a recording.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Protocol

from sqlalchemy import Engine

from audio_extract_dagster.database.connection import reading, writing
from audio_extract_dagster.database.ledger import accounts, expiry, inventory, records
from audio_extract_dagster.database.ledger.calls import calls_of_day, named_calls
from audio_extract_dagster.database.ledger.inventory import FileRow
from audio_extract_dagster.database.ledger.records import Asked
from audio_extract_dagster.database.storable import clean_text
from audio_extract_dagster.extraction.outcomes import is_audio, is_deliverable
from audio_extract_dagster.genesys import NotPermitted, RecordingMetadata
from audio_extract_dagster.model import Reason, RecordStatus
from audio_extract_dagster.storage import AudioStorage, day_prefix, refuse_if_empty


class Difference(Enum):
    """What can be wrong. `repairable`: the next run can fetch it, once it is marked."""

    FILE_MISSING = "a row without its file", True
    SIZE_DIFFERS = "a file of another size than its row says", True
    CHECKSUM_DIFFERS = "a file with another content than its row says", True
    FOREIGN_URI = "a row whose file is in another storage", False
    FILE_WITHOUT_ROW = "a file without a row", False
    CALL_WITHOUT_RECORD = "an agent call without any record", False
    RECORDING_WITHOUT_ROW = "a recording that Genesys lists and no row knows", True
    AVAILABLE_AFTER_ALL = "a recording marked MISSING that Genesys has", True
    NOT_PERMITTED = "a call whose recordings the OAuth client may not see", False

    def __init__(self, words: str, repairable: bool) -> None:
        self.words = words
        self.repairable = repairable


@dataclass(frozen=True)
class Finding:
    """One difference: where it is, and the recording to mark if it is to be mended."""

    difference: Difference
    place: str
    conversation_id: str = ""
    recording_id: str = ""


class MetadataSource(Protocol):
    """The one call that a deep verification makes; `GenesysClient` has it."""

    def recording_metadata(self, conversation_id: str) -> list[RecordingMetadata]: ...


def verify_day(engine: Engine, storage: AudioStorage, day: date) -> Iterator[Finding]:
    """Everything in which rows and files of one day differ."""
    with reading(engine) as connection:
        # All at once: reading the files takes hours, and no transaction should.
        rows = list(inventory.stored_files(connection, day))
        without_record = accounts.calls_without_record(connection, day)
    for conversation_id in without_record:
        yield Finding(Difference.CALL_WITHOUT_RECORD, conversation_id)
    keys: set[str] = set()
    for row in rows:
        try:
            key = storage.key_of(row.uri)
        except ValueError:
            yield _finding(Difference.FOREIGN_URI, row, row.uri)
            continue
        keys.add(key)
        difference = _compare(storage, key, row)
        if difference is not None:
            yield _finding(difference, row, key)
    for key, _ in storage.list(day_prefix(day)):
        if key not in keys:
            yield Finding(Difference.FILE_WITHOUT_ROW, key)


def verify_with_genesys(engine: Engine, source: MetadataSource, day: date) -> Iterator[Finding]:
    """What Genesys lists for the calls of the day and the rows do not know; a request per call."""
    with reading(engine) as connection:
        calls = calls_of_day(connection, day)
        expired = expiry.expired_recordings(connection, day)
    for call in calls:
        known = {record.recording_id: record.status for record in call.records}
        try:
            listed = source.recording_metadata(call.conversation_id)
        except NotPermitted:
            yield Finding(Difference.NOT_PERMITTED, call.conversation_id)
            continue
        for recording in listed:
            recording_id = clean_text(recording.id)
            # Without an id there is nothing to compare, and nothing that could be marked.
            if not recording_id or not is_audio(recording):
                continue
            place = f"{call.conversation_id}/{recording_id}"
            found = (call.conversation_id, recording_id)
            if found in expired:
                continue
            if recording_id not in known:
                yield Finding(Difference.RECORDING_WITHOUT_ROW, place, *found)
            elif known[recording_id] is RecordStatus.MISSING and is_deliverable(recording):
                yield Finding(Difference.AVAILABLE_AFTER_ALL, place, *found)


def repair(
    engine: Engine, storage: AudioStorage, day: date, findings: Iterable[Finding], now: datetime
) -> int:
    """Mark the lost recordings `FAILED`, so that the next run asks for them; returns how many.

    Raises `StorageUnavailable` if files are missing because the whole storage seems to be.
    """
    lost = {
        (finding.conversation_id, finding.recording_id): finding.difference
        for finding in findings
        if finding.difference.repairable
    }
    if not lost:
        return 0
    if Difference.FILE_MISSING in lost.values():
        refuse_if_empty(storage)
    with writing(engine) as connection:
        ids = sorted({conversation_id for conversation_id, _ in lost})
        reasons: dict[str, dict[str, Reason]] = {each: {} for each in ids}
        for (conversation_id, recording_id), difference in lost.items():
            reasons[conversation_id][recording_id] = _reason(difference)
        marks = [(call, reasons[call.conversation_id]) for call in named_calls(connection, ids)]
        records.write_reasons(connection, Asked(day, None, now), marks)
    return len(lost)


def _reason(difference: Difference) -> Reason:
    unknown = (Difference.RECORDING_WITHOUT_ROW, Difference.AVAILABLE_AFTER_ALL)
    return Reason.NOT_DELIVERED if difference in unknown else Reason.FILE_LOST


def _finding(difference: Difference, row: FileRow, place: str) -> Finding:
    return Finding(difference, place, row.conversation_id, row.recording_id)


def _compare(storage: AudioStorage, key: str, row: FileRow) -> Difference | None:
    size = storage.stat(key)
    if size is None:
        return Difference.FILE_MISSING
    if size != row.size_bytes:
        return Difference.SIZE_DIFFERS
    checksum = storage.sha256(key)
    if checksum is None:  # removed just now
        return Difference.FILE_MISSING
    return None if checksum == row.sha256 else Difference.CHECKSUM_DIFFERS
