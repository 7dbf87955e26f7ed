"""Settles the calls of a batch that has given all it will: each gets its reasons.

The rules are in `extraction/outcomes.py`; here Genesys is asked for a call's metadata where they
need it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta

from msgspec.structs import replace

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database.storable import clean_text
from audio_extract_dagster.extraction.collection.flight import Flight
from audio_extract_dagster.extraction.collection.planning import BatchPlanner
from audio_extract_dagster.extraction.outcomes import (
    give_up_late,
    leave_unsettled,
    may_have_more,
    needs_metadata,
    settle,
)
from audio_extract_dagster.genesys import (
    BadRequest,
    GenesysClient,
    NotPermitted,
    Unavailable,
    UnreadableAnswer,
)
from audio_extract_dagster.model import CallToAsk, Reason, RecordStatus

log = logging.getLogger(__name__)

# After so many in a row it is not one call. Each costs a minute, in which no file can be fetched
# of a batch whose links live for two: the other calls are left to the next run.
FAILED_REQUESTS = 3


class Settler:
    """Settles the calls of one batch after another; `planner` knows which may have another one."""

    def __init__(
        self, client: GenesysClient, planner: BatchPlanner, clock: Clock, late_audio: timedelta
    ) -> None:
        self._client = client
        self._planner = planner
        self._clock = clock
        self._late_audio = late_audio
        self._failed_in_a_row = 0

    def settle_some(self, flight: Flight) -> bool:
        """Settle calls until one has cost a request; returns whether all are settled.

        One request at a time, so that looks at other batches are not kept waiting.
        """
        while flight.to_settle:
            call = flight.calls[flight.to_settle.popleft()]
            reasons, asked_genesys = self._reasons(flight, call)
            reasons = give_up_late(
                call, reasons, now=self._clock.now(), late_audio=self._late_audio
            )
            flight.settled.append((call, reasons))
            if self._may_have_more(flight, call, reasons):
                flight.may_have_more.add(call.conversation_id)
            if asked_genesys:
                break
        return not flight.to_settle

    def _reasons(self, flight: Flight, call: CallToAsk) -> tuple[Mapping[str, Reason], bool]:
        """The reasons for one call, and whether finding them has cost a request."""
        answers = flight.answers(call)
        if self._is_better_asked_again(flight, call):
            return leave_unsettled(call, answers), False
        if needs_metadata(call, answers, batch_is_short=flight.is_short):
            return self._by_metadata(flight, call), True
        return settle(call, answers, None, now=self._clock.now()), False

    def _is_better_asked_again(self, flight: Flight, call: CallToAsk) -> bool:
        """A batch that gave less than it announced may have kept back a part of any recording.

        Another batch costs less than the metadata of each of its calls, and tells more.
        """
        return flight.is_short and self._planner.may_ask_again(call)

    def _may_have_more(
        self, flight: Flight, call: CallToAsk, reasons: Mapping[str, Reason]
    ) -> bool:
        answered = reasons.keys() | flight.answers(call).stored
        # An answer is as old as its batch, which an earlier run may have submitted.
        asked_at = flight.batch.submitted_at or self._clock.now()
        return may_have_more(call, answered, asked_at=asked_at)

    def _by_metadata(self, flight: Flight, call: CallToAsk) -> Mapping[str, Reason]:
        answers = flight.answers(call)
        # What failed in an earlier run says nothing of the others, and is no other call's fault.
        failed_before = any(record.status is RecordStatus.FAILED for record in call.records)
        if self._failed_in_a_row == FAILED_REQUESTS:
            left = Reason.METADATA_UNREADABLE if failed_before else Reason.BATCH_UNFINISHED
            return leave_unsettled(call, answers, left)
        try:
            metadata = [
                replace(recording, id=clean_text(recording.id))
                for recording in self._client.recording_metadata(call.conversation_id)
            ]
        except NotPermitted:
            return leave_unsettled(call, answers, Reason.NO_PERMISSION)
        except BadRequest as error:  # comes at once and is about this call
            log.warning("%s", error)
            return leave_unsettled(call, answers, Reason.METADATA_UNREADABLE)
        except (Unavailable, UnreadableAnswer) as error:
            log.warning("%s", error)
            self._failed_in_a_row += not failed_before
            return leave_unsettled(call, answers, Reason.METADATA_UNREADABLE)
        self._failed_in_a_row = 0
        if not all(recording.id for recording in metadata):
            return leave_unsettled(call, answers, Reason.METADATA_UNREADABLE)
        return settle(
            call,
            answers,
            metadata,
            now=self._clock.now(),
            batch_broke_off=flight.broke_off,
        )
