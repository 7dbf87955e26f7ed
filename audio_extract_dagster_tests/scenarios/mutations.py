"""Answers of Genesys with one thing in them that is not as documented, at a random place.

Not every lie can be noticed: some read like the truth, and those are not told (see `believable`).
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from audio_extract_dagster.simulator import Fault

Path = tuple[str | int, ...]

OPERATIONS = ("token", "details_query", "settings", "batch_submit", "batch_poll", "metadata")

_ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    "",
    "zzz",
    "\0",
    "\ud83d",
    "Ünïcødé ✓ 'quoted' \"twice\" \\ \n\t",
    "../../etc/passwd",
    "".join(random.Random(5).choices("0123456789abcdefghijklmnopqrstuvwxyz", k=5000)),
    -1,
    0,
    7.5,
    2**31,
    2**63,
    -(10**400),
    1e308,
    [],
    {},
    [[[]]],
    [None],
    {"a": {"b": None}},
)


@dataclass
class Mutator:
    """Changes one thing in about `share` of the answers; `touched` are the calls it changed."""

    rng: random.Random
    share: float
    count: int = 0
    touched: set[str] = field(default_factory=set)

    def faults(self) -> list[Fault]:
        """What has the simulator mutate its answers, operation by operation."""
        return [
            Fault(each, "mutate", times=None, change=self._changes(each)) for each in OPERATIONS
        ]

    def _changes(self, operation: str) -> Callable[[Any], object]:
        def change(answer: Any) -> object:
            if self.rng.random() >= self.share:
                return answer
            self.count += 1
            return self._mutated(operation, answer)

        return change

    def _mutated(self, operation: str, answer: Any) -> object:
        places = list(_places(answer))
        while True:
            # Most places of a page are deep inside a call; those near the top matter more.
            shallow = [path for path in places if len(path) <= self.rng.choice((1, 2, 3, 99))]
            path = self.rng.choice(shallow)
            change = self.rng.choice(("remove", "double", "replace", "replace"))
            value = self.rng.choice(_ODD_VALUES)
            if not believable(operation, path, change, value):
                break
        if operation == "details_query" and len(path) > 2 and path[2] == "participants":
            self.touched.add(answer["conversations"][path[1]]["conversationId"])
        return _changed(copy.deepcopy(answer), path, change, value)


def believable(operation: str, path: Path, change: str, value: object) -> bool:
    """Whether the answer that this makes says something else, and says it as Genesys might.

    An empty list of recordings or conversations, and another id that looks like one.
    """
    last = path[-1] if path else None
    if operation == "metadata":
        taken_out = change == "remove" and len(path) == 1
        return taken_out or (not path and value in ([], None))
    if operation == "details_query":
        return (not path and value == {}) or (
            last == "conversationId" and isinstance(value, str) and value != ""
        )
    return False


def _places(answer: Any, path: Path = ()) -> Iterator[Path]:
    """Every place of a JSON value, the whole of it first."""
    yield path
    if isinstance(answer, dict):
        for key, value in answer.items():
            yield from _places(value, (*path, key))
    elif isinstance(answer, list):
        for index, value in enumerate(answer):
            yield from _places(value, (*path, index))


def _changed(answer: Any, path: Path, change: str, value: object) -> Any:
    if not path:
        return value
    holder = answer
    for step in path[:-1]:
        holder = holder[step]
    last = path[-1]
    if change == "remove":
        del holder[last]
    elif change == "double" and isinstance(holder, list):
        holder.insert(int(last), copy.deepcopy(holder[int(last)]))
    else:
        holder[last] = value
    return answer
