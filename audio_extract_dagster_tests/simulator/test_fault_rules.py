"""Which requests a scripted fault strikes, and how answers are mutated."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_extract_dagster.simulator import Fault, InvalidFault
from audio_extract_dagster.simulator.faults import Faults, mutated


def test_after_times_and_order() -> None:
    faults = Faults()
    first = faults.add(Fault("metadata", "html", after=2, times=2))
    second = faults.add(Fault("any", "garbage", times=None))
    struck = [faults.strike("metadata", "")[0] for _ in range(6)]
    assert struck == [second, second, first, first, second, second]
    assert (faults.struck(first), faults.struck(second)) == (2, 4)
    faults.clear()
    assert faults.strike("metadata", "") == []


def test_chance_is_repeatable() -> None:
    def pattern() -> list[bool]:
        faults = Faults(seed=3)
        faults.add(Fault("any", "html", times=None, probability=0.3))
        return [bool(faults.strike("metadata", "")) for _ in range(200)]

    assert pattern() == pattern()
    assert 30 < sum(pattern()) < 90


def test_unknown_faults_are_refused() -> None:
    with pytest.raises(InvalidFault, match="operation"):
        Fault("lunch", "status")
    with pytest.raises(InvalidFault, match="kind"):
        Fault("any", "earthquake")


@pytest.mark.parametrize(
    ("path", "value", "remove", "expected"),
    [
        ("a", 1, False, {"a": 1, "b": [{"c": 2}, {"c": 3}]}),
        ("b.*.c", None, False, {"a": 0, "b": [{"c": None}, {"c": None}]}),
        ("b.1", "x", False, {"a": 0, "b": [{"c": 2}, "x"]}),
        ("b.0", None, True, {"a": 0, "b": [{"c": 3}]}),
        ("b.*.d", [], False, {"a": 0, "b": [{"c": 2, "d": []}, {"c": 3, "d": []}]}),
        ("*", None, True, {}),
        ("z.y", 1, False, {"a": 0, "b": [{"c": 2}, {"c": 3}]}),
        ("b.7.c", 1, False, {"a": 0, "b": [{"c": 2}, {"c": 3}]}),
    ],
)
def test_mutation_paths(path: str, value: object, remove: bool, expected: object) -> None:
    answer: Any = {"a": 0, "b": [{"c": 2}, {"c": 3}]}
    assert mutated(answer, path, value, remove=remove) == expected


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab0"), inner),
    max_leaves=8,
)


@given(
    JSON,
    st.lists(st.sampled_from(["a", "b", "0", "1", "*"]), min_size=1).map(".".join),
    st.booleans(),
)
def test_a_mutation_never_fails(answer: Any, path: str, remove: bool) -> None:
    mutated(answer, path, "value", remove=remove)
