"""Days of 1,000 to 1,000,000 calls, on paper: what binds, how long they take, what they cost.

A simulation: the project's own pace (`Pace`) and look plan (`LookPlan`) against batches that take
Genesys about three minutes, answers that take 0.2 s, and a line of so many Mbit/s. Runs are days of
their own that share one budget, as on several machines. Nothing is sent anywhere.

A resource's use is the share of the time in which it was taken; the one that binds is near 100 %.
"""

# ruff: noqa: RUF001 - typographic signs, as in any text for people
from __future__ import annotations

import heapq
import random
from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import count
from math import ceil

import click

from audio_extract_dagster.extraction.collection.look_plan import LookPlan
from audio_extract_dagster.genesys.pacing import Pace

_BATCH_SIZE = 90
_BATCH_SECONDS = 180.0
_ANSWER_SECONDS = 0.2
_LINK_LIFE = 3600.0
_FILE_BYTES = 300_000
_AGENT_CALLS = 0.8  # of the conversations that are listed

# List prices in US dollars, rounded: a vCPU second and a GiB second of a job, a GiB month of audio.
_VCPU_SECOND, _GIB_SECOND, _GIB_MONTH = 0.000018, 0.000002, 0.02
_VCPUS, _GIB = 2, 2
_DAYS_A_MONTH = 26

Steps = Generator[float, None, None]


@dataclass
class World:
    """What runs share: the clock, the request budget, the line."""

    per_minute: int
    mbit: float
    now: float = 0.0
    requests: int = 0
    line_free_at: float = 0.0
    line_seconds: float = 0.0
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.pace = Pace(self.per_minute)

    def request(self) -> Steps:
        """Wait for a turn, then for the answer."""
        yield self.pace.book(self.now) - self.now
        self.requests += 1
        yield _ANSWER_SECONDS

    def fetch(self, files: int) -> float:
        """Put so many files on the line; returns when the last of them is there."""
        seconds = files * _FILE_BYTES * 8 / (self.mbit * 1e6)
        self.line_free_at = max(self.now, self.line_free_at) + seconds
        self.line_seconds += seconds
        return self.line_free_at


@dataclass
class Day:
    """One run: pages, then batches, `in_flight` of them at a time."""

    world: World
    calls: int
    in_flight: int
    dice: random.Random
    slot_seconds: float = 0.0
    coordinator_seconds: float = 0.0

    def run(self) -> Steps:
        for _ in range(ceil(self.calls / _AGENT_CALLS / 100) + 1):
            yield from self._request()
        plan = LookPlan(10, _LINK_LIFE, [_BATCH_SECONDS])
        waiting = ceil(self.calls / _BATCH_SIZE)
        flying: list[tuple[float, float, float, int]] = []  # next look, submitted, ready, looks
        while waiting or flying:
            if flying and flying[0][0] <= self.world.now:
                _, submitted, ready, looks = heapq.heappop(flying)
                yield from self._request()
                if ready <= self.world.now:
                    plan.learn(self.world.now - submitted)
                    self.slot_seconds += self.world.now - submitted
                    self.world.fetch(_BATCH_SIZE)
                else:
                    pause = plan.next_pause(looks + 1, has_results=False)
                    heapq.heappush(flying, (self.world.now + pause, submitted, ready, looks + 1))
            elif waiting and len(flying) < self.in_flight:
                yield from self._request()
                waiting -= 1
                took = _BATCH_SECONDS * self.dice.uniform(0.8, 1.2)
                now = self.world.now
                heapq.heappush(flying, (now + plan.first_pause(), now, now + took, 0))
            else:
                yield flying[0][0] - self.world.now
        yield max(0.0, self.world.line_free_at - self.world.now)

    def _request(self) -> Steps:
        yield from self.world.request()
        self.coordinator_seconds += _ANSWER_SECONDS


@dataclass(frozen=True)
class Outcome:
    """What the days took together. Shares are of 1."""

    seconds: float
    requests: int
    budget: float
    slots: float
    coordinators: float
    line: float

    @property
    def binds(self) -> str:
        shares = {
            "request budget": self.budget,
            "batches in flight": self.slots,
            "one request at a time": self.coordinators,
            "network": self.line,
        }
        return max(shares, key=lambda name: shares[name])


def simulate(
    days: int, calls: int, *, at_a_time: int, in_flight: int, per_minute: int, mbit: float
) -> Outcome:
    """So many days, `at_a_time` of them under way, each taking up the next when it ends."""
    world = World(per_minute, mbit)
    dice = random.Random(7)  # noqa: S311 - batch times
    all_days = [Day(world, calls, in_flight, dice) for _ in range(days)]
    to_start = [day.run() for day in reversed(all_days)]
    order = count()
    agenda: list[tuple[float, int, Steps]] = []
    for _ in range(min(at_a_time, days)):
        heapq.heappush(agenda, (0.0, next(order), to_start.pop()))
    while agenda:
        world.now, _, steps = heapq.heappop(agenda)
        if (pause := next(steps, None)) is not None:
            heapq.heappush(agenda, (world.now + pause, next(order), steps))
        elif to_start:
            heapq.heappush(agenda, (world.now, next(order), to_start.pop()))
    seconds, runs = world.now, min(at_a_time, days)
    return Outcome(
        seconds=seconds,
        requests=world.requests,
        budget=world.requests / per_minute * 60 / seconds,
        slots=sum(day.slot_seconds for day in all_days) / (seconds * in_flight * runs),
        coordinators=sum(day.coordinator_seconds for day in all_days) / (seconds * runs),
        line=world.line_seconds / seconds,
    )


def row(days: int, calls: int, at_a_time: int, in_flight: int, per_minute: int, mbit: float) -> str:
    """A line of the table."""
    outcome = simulate(
        days, calls, at_a_time=at_a_time, in_flight=in_flight, per_minute=per_minute, mbit=mbit
    )
    gib = calls * _FILE_BYTES / 2**30
    run_seconds = outcome.seconds * at_a_time / days
    job = run_seconds * _DAYS_A_MONTH * (_VCPUS * _VCPU_SECOND + _GIB * _GIB_SECOND)
    audio = gib * _DAYS_A_MONTH * _GIB_MONTH
    shares = (outcome.budget, outcome.slots, outcome.coordinators, outcome.line)
    return (
        f"| {days} × {calls:,} | {at_a_time} | {in_flight} | {outcome.requests:,} "
        f"| {outcome.seconds / 60:,.0f} min | {outcome.binds} "
        f"| {' / '.join(f'{share:.0%}' for share in shares)} "
        f"| {gib:,.1f} | {job:,.2f} | {audio:,.2f} |"
    )


HEAD = """\
| days × agent calls | runs at a time | batches in flight of each | API requests | time | binds \
| use of budget / flight / one at a time / line | GiB a day | job, $ a month \
| a month of audio, $ a month |
|--:|--:|--:|--:|--:|---|---|--:|--:|--:|"""


@click.command(help=__doc__)
@click.option("--per-minute", default=240, show_default=True, help="GENESYS_REQUESTS_PER_MINUTE")
@click.option("--mbit", default=200.0, show_default=True, help="the line to the file hosts")
def command(per_minute: int, mbit: float) -> None:
    click.echo(HEAD)
    for calls in (1_000, 10_000, 100_000, 1_000_000):
        for in_flight in (16, 64, 256):
            click.echo(row(1, calls, 1, in_flight, per_minute, mbit))
    for at_a_time in (1, 2, 4, 8):
        click.echo(row(20, 10_000, at_a_time, 16, per_minute, mbit))


if __name__ == "__main__":
    command()
