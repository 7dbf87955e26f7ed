"""A made-up org: a pure function of a seed and a day, the same in every process and Python version.

Only the outline of a day is kept (when each call starts); a conversation is built when somebody
looks at it, so that a day of 100,000 calls costs tens of megabytes and a past day of any year is as
good as yesterday. The first calls of a day go through every story and every recording situation
once; the others are drawn by weight.
"""

from __future__ import annotations

import random
import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from typing import NamedTuple
from zoneinfo import ZoneInfo

from audio_extract_dagster.simulator import audio
from audio_extract_dagster.simulator.chance import repeatable
from audio_extract_dagster.simulator.ids import Ids, hostile
from audio_extract_dagster.simulator.model import (
    Conversation,
    Queue,
    Recording,
    Slot,
    milliseconds,
)
from audio_extract_dagster.simulator.recordings import SITUATIONS, recordings
from audio_extract_dagster.simulator.script import Cast, Script
from audio_extract_dagster.simulator.stories import STORIES

_DAYS_KEPT = 6
_SUNDAY = 6
_DRAWN = [name for name, (_, share) in STORIES.items() if share]
_SHARES = list(accumulate(STORIES[name][1] for name in _DRAWN))
_SITUATIONS = list(SITUATIONS)
_SITUATION_SHARES = list(accumulate(SITUATIONS.values()))
_NO_AUDIO_BY_NATURE = {"abandoned", "ivr_only", "rang_then_abandoned", "chat", "flood"}
_SCREEN_FILES = {"video/mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "application/zip": b"PK\5\6"}


class _Outline(NamedTuple):
    """One day before anything of it is built."""

    slots: tuple[Slot, ...]  # by start
    by_serial: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class _Role:
    story: str
    situation: str


class World:
    """An org with a contact centre.

    `calls_per_day` is the number of voice conversations of a working day; a Sunday has a tenth.
    About one chat for every fifteen calls comes on top, and `flood_per_day` calls that only wait in
    the queue and cost next to nothing, for days beyond the 100,000 that a query can page through.
    With `hostile_ids`, some conversations and recordings have ids that attack file names.
    """

    def __init__(
        self,
        seed: int | str = 1,
        calls_per_day: int = 120,
        timezone: str = "America/Lima",
        *,
        flood_per_day: int = 0,
        hostile_ids: bool = False,
    ) -> None:
        self.seed = seed
        self.calls_per_day = calls_per_day
        self.flood_per_day = flood_per_day
        self.hostile_ids = hostile_ids
        self.timezone = ZoneInfo(timezone)
        self._ids = Ids(seed)
        self.queues = tuple(
            Queue(self._ids.named("queue", name), name)
            for name in ("Atencion al cliente", "Ventas", "Soporte tecnico")
        )
        self.users = tuple(
            (self._ids.named("user", number), f"Agent {number:02d}") for number in range(1, 41)
        )
        self._cast = Cast(
            queues=self.queues,
            users=self.users,
            wrap_up_codes=[self._ids.named("wrap-up", number) for number in range(8)],
            division_id=self._ids.named("division"),
            flow_id=self._ids.named("flow"),
            edge_id=self._ids.named("edge"),
        )
        self._outlines: OrderedDict[int, _Outline] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def queue_ids(self) -> tuple[str, ...]:
        """The ids of the queues, the busiest first."""
        return tuple(queue.id for queue in self.queues)

    def conversations(self, day: date) -> list[Conversation]:
        """Everything that starts on a local day, calls and chats, by start. Builds all of it."""
        return [self.build(slot) for slot in self.on_day(day)]

    def on_day(self, day: date) -> Sequence[Slot]:
        return self._outline(day.toordinal()).slots

    def started(self, first_ms: int, before_ms: int) -> list[Slot]:
        day = datetime.fromtimestamp(first_ms // 1000, self.timezone).date().toordinal()
        last = datetime.fromtimestamp(before_ms // 1000, self.timezone).date().toordinal()
        found: list[Slot] = []
        while day <= last:
            slots = self._outline(day).slots
            found += slots[bisect_left(slots, (first_ms,)) : bisect_left(slots, (before_ms,))]
            day += 1
        return found

    def find(self, conversation_id: str) -> Conversation | None:
        place = self._ids.locate(conversation_id)
        if place is None:
            return None
        day, serial = place
        outline = self._outline(day)
        if serial >= len(outline.by_serial):
            return None
        conversation = self.build(outline.by_serial[serial])
        return conversation if conversation.id == conversation_id else None

    def build(self, slot: Slot) -> Conversation:
        rng = repeatable(self.seed, slot.day, slot.serial)
        role = self._role(slot, rng)
        plain_id = self._ids.conversation(slot.day, slot.serial)
        attacks = self.hostile_ids and slot.serial % 9 == 4
        script = Script(
            conversation_id=hostile(plain_id, slot.serial // 9) if attacks else plain_id,
            start_ms=slot.start_ms,
            rng=rng,
            cast=self._cast,
            queue=rng.choices(self.queues, (60, 25, 15))[0],
            recorded=role.situation != "unrecorded",
        )
        STORIES[role.story][0](script)
        found = recordings(
            role.situation,
            script.customer_session,
            script.talk_ms,
            rng,
            lambda number: self._ids.named("recording", slot.day, slot.serial, number),
        )
        if self.hostile_ids and slot.serial % 9 == 7:
            found = tuple(
                replace(recording, id=hostile(recording.id, slot.serial // 9))
                for recording in found
            )
        return Conversation(
            id=script.conversation_id,
            story=role.story,
            start_ms=slot.start_ms,
            end_ms=None if script.stays_open else script.ended,
            payload=script.payload(),
            recordings=found,
        )

    def content(self, recording: Recording, part: int) -> bytes:
        if recording.media == "screen":
            return _SCREEN_FILES[recording.content_type.partition(";")[0]].ljust(4096, b"\0")
        seconds = recording.seconds / recording.parts
        return audio.render(recording.encoding, f"{recording.id}-{part}", seconds)

    def _outline(self, day: int) -> _Outline:
        with self._lock:
            if day in self._outlines:
                self._outlines.move_to_end(day)
                return self._outlines[day]
            outline = self._outlines[day] = self._sketch(day)
            if len(self._outlines) > _DAYS_KEPT:
                self._outlines.popitem(last=False)
            return outline

    def _sketch(self, day: int) -> _Outline:
        """When each conversation of a local day starts."""
        local = date.fromordinal(day)
        midnight = self._midnight(local)
        length = self._midnight(local + timedelta(days=1)) - midnight
        calls, chats, flood = self._amounts(day)
        rng = repeatable(self.seed, day)
        starts = [_start(rng, length) for _ in range(calls + chats + flood)]
        for serial, story in enumerate(self._opening(calls)):
            if story == "crosses_midnight":
                starts[serial] = length - 120_000 + starts[serial] % 60_000
            elif story == "last_moment":
                starts[serial] = length - 100
        by_serial = tuple(Slot(midnight + at, day, serial) for serial, at in enumerate(starts))
        return _Outline(tuple(sorted(by_serial)), by_serial)

    def _amounts(self, day: int) -> tuple[int, int, int]:
        """How many calls, chats and flood calls a day has, in the order of serial numbers."""
        share = 0.1 if date.fromordinal(day).weekday() == _SUNDAY else 1.0
        calls, flood = round(self.calls_per_day * share), round(self.flood_per_day * share)
        return calls, -(-calls // 15), flood

    def _midnight(self, day: date) -> int:
        return milliseconds(datetime.combine(day, time(), self.timezone))

    def _opening(self, calls: int) -> list[str]:
        """The stories of the day's first serial numbers: each one once."""
        return [name for name in STORIES if name not in ("chat", "flood")][:calls]

    def _role(self, slot: Slot, rng: random.Random) -> _Role:
        """What is played, and what is recorded of it: in turn at first, then by chance."""
        calls, chats, _ = self._amounts(slot.day)
        if slot.serial >= calls + chats:
            return _Role("flood", "unrecorded")
        if slot.serial >= calls:
            return _Role("chat", "unrecorded")
        opening = self._opening(calls)
        if slot.serial < len(opening):
            story = opening[slot.serial]
            return _Role(story, "unrecorded" if story in _NO_AUDIO_BY_NATURE else "normal")
        if slot.serial < len(opening) + len(_SITUATIONS):
            return _Role("answered", _SITUATIONS[slot.serial - len(opening)])
        story = rng.choices(_DRAWN, cum_weights=_SHARES)[0]
        situation = rng.choices(_SITUATIONS, cum_weights=_SITUATION_SHARES)[0]
        # A fifth of the calls that nobody answered have a recording of the waiting all the same.
        if story in _NO_AUDIO_BY_NATURE and rng.random() < 0.8:
            situation = "unrecorded"
        return _Role(story, situation)


def _start(rng: random.Random, day_length: int) -> int:
    """Milliseconds after midnight: most calls in working hours, some at any time."""
    if rng.random() < 0.9:
        return int(3_600_000 * rng.triangular(7.0, 22.0, 11.0))
    return int(rng.random() * (day_length - 1_000))
