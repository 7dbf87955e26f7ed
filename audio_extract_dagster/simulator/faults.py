"""Scripted misbehaviour: which request goes wrong, how, and how often.

A fault says what happens to the requests of one operation; `Faults` decides which requests it
strikes. It is carried out in `pipeline.py`. Lasting behaviour is a switch (`switches.py`).
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

from audio_extract_dagster.errors import Never
from audio_extract_dagster.simulator.chance import repeatable
from audio_extract_dagster.simulator.operations import PERMISSIONS

OPERATIONS = frozenset({"any", *PERMISSIONS})
"""What a fault can be tied to; `any` is all of them."""

_REFUSES = {"status", "rate_limited", "html", "reset_before"}
_SPOILS = {"garbage", "empty_body", "reset_after", "truncate", "zero_bytes", "shorten", "mutate"}
_PRELUDES = {"slow", "revoke_token"}
KINDS = frozenset(_REFUSES | _SPOILS | _PRELUDES)


class InvalidFault(Never):
    """There is no such operation or kind of fault."""


@dataclasses.dataclass(slots=True)
class Fault:
    """One rule. `times` None: for ever; `after`: so many requests are spared first.

    `match` limits it to requests whose target or body contains this text. Kinds and parameters:

    instead of acting
    - `status`: `status`, and either `body` (a text, as it is) or `code` and `message`; `headers`
    - `rate_limited`: 429 with `retry_after`: seconds, a text such as an HTTP date, or None (absent)
    - `html`: a page with `status` (502); 200 is the captive portal
    - `reset_before`: the connection is reset

    after having acted
    - `garbage`: broken JSON, or bytes that are no audio; `empty_body`, `zero_bytes`: nothing
    - `reset_after`: the connection is reset instead of an answer
    - `truncate`: the right Content-Length, then `keep` (0.5) of the body, then silence for `stall`
      (0) seconds of the wall clock, then the end
    - `shorten`: `keep` (0.5) of the body, and a Content-Length that agrees with it
    - `mutate`: `path` (`conversations.0.participants.*.purpose`) gets `value`, or is removed with
      `remove`; or `change`, a function from the answer to another, in code only

    before either
    - `slow`: a pause of `seconds`, by the simulator's clock, or by the wall clock with `real`
    - `revoke_token`: the token of this request is void from now on

    `acts` true lets a refusal come after the server has acted: the answer is lost, the deed is not.
    """

    operation: str
    kind: str
    times: int | None = 1
    after: int = 0
    probability: float = 1.0
    match: str = ""
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    change: Callable[[Any], Any] | None = None
    acts: bool = False

    def __post_init__(self) -> None:
        if self.operation not in OPERATIONS:
            raise InvalidFault(f"unknown operation {self.operation!r}; known: {sorted(OPERATIONS)}")
        if self.kind not in KINDS:
            raise InvalidFault(f"unknown kind of fault {self.kind!r}; known: {sorted(KINDS)}")

    @property
    def is_prelude(self) -> bool:
        return self.kind in _PRELUDES

    @property
    def refuses(self) -> bool:
        """Whether the server does nothing but answer with the fault."""
        return self.kind in _REFUSES and not self.acts


class Faults:
    """The rules in force, in the order in which they were added. Safe for threads."""

    def __init__(self, seed: int | str = 1) -> None:
        self._lock = threading.Lock()
        self._rng = repeatable(seed, "faults")
        self._rules: list[Fault] = []
        self._seen: list[int] = []
        self._struck: list[int] = []

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._rules.append(fault)
            self._seen.append(0)
            self._struck.append(0)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._rules, self._seen, self._struck = [], [], []

    def struck(self, fault: Fault) -> int:
        """How often a fault that was added has struck."""
        with self._lock:
            return sum(
                count
                for rule, count in zip(self._rules, self._struck, strict=True)
                if rule is fault
            )

    def strike(self, operation: str, text: str) -> list[Fault]:
        """The faults that this request gets: pauses and revocations, and at most one other."""
        struck: list[Fault] = []
        with self._lock:
            for number, fault in enumerate(self._rules):
                if not self._applies(number, operation, text):
                    continue
                self._struck[number] += 1
                struck.append(fault)
                if not fault.is_prelude:
                    break
        return struck

    def _applies(self, number: int, operation: str, text: str) -> bool:
        fault = self._rules[number]
        if fault.operation not in ("any", operation) or fault.match not in text:
            return False
        self._seen[number] += 1
        if self._seen[number] <= fault.after:
            return False
        if fault.times is not None and self._struck[number] >= fault.times:
            return False
        return fault.probability >= 1.0 or self._rng.random() < fault.probability


def mutated(answer: Any, path: str, value: object, *, remove: bool = False) -> Any:
    """The answer with every place that `path` names set to `value`, or taken out.

    Steps are keys, list positions or `*`; a place that does not exist is left alone, except that a
    last key is added to an object.
    """
    step, _, rest = path.partition(".")
    if isinstance(answer, dict):
        for key in list(answer) if step == "*" else [step]:
            if rest and key in answer:
                answer[key] = mutated(answer[key], rest, value, remove=remove)
            elif not rest and remove:
                answer.pop(key, None)
            elif not rest:
                answer[key] = value
    elif isinstance(answer, list):
        positions = range(len(answer)) if step == "*" else [int(step)] if step.isdigit() else []
        for position in reversed([place for place in positions if place < len(answer)]):
            if rest:
                answer[position] = mutated(answer[position], rest, value, remove=remove)
            elif remove:
                del answer[position]
            else:
                answer[position] = value
    return answer
