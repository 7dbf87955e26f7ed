"""When a batch is looked at: few requests, and no link dies unseen. All figures are seconds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_extract_dagster.extraction.collection.look_plan import LookPlan

HOUR = 3600.0
usual_times = st.lists(st.floats(60, 1800), min_size=1, max_size=30)
link_lives = st.floats(120, HOUR)


def looks_at(plan: LookPlan, takes: float, *, results_from: float = 0) -> list[float]:
    """When a batch is looked at that shows results from one moment on and ends at another."""
    moments = [plan.first_pause()]
    while moments[-1] < takes:
        has_results = moments[-1] >= results_from
        moments.append(moments[-1] + plan.next_pause(len(moments), has_results=has_results))
    return moments


def test_while_nothing_is_learnt_the_pauses_grow_to_a_minute() -> None:
    plan = LookPlan(10, HOUR)
    pauses = [plan.first_pause(), *(plan.next_pause(n, has_results=False) for n in range(1, 9))]
    assert pauses[:3] == [10, 15, 22.5]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 60


def test_a_long_pause_before_anything_is_learnt_lets_no_link_die_unseen() -> None:
    plan = LookPlan(600, 120)
    assert plan.first_pause() == 0.75 * 120
    assert plan.next_pause(1, has_results=False) == 0.75 * 120
    assert plan.next_pause(1, has_results=True) == 0.5 * 120


def test_from_a_batch_that_took_no_time_nothing_is_learnt() -> None:
    """Clocks of two machines may differ."""
    pauses = [LookPlan(10, HOUR, earlier).next_pause(5, has_results=False) for earlier in ([], [0])]
    assert pauses[0] == pauses[1]


@pytest.mark.parametrize("takes", [150, 165, 180, 195, 215])
def test_a_batch_of_three_minutes_costs_at_most_four_looks_once_learnt(takes: float) -> None:
    assert len(looks_at(LookPlan(10, HOUR, [180.0]), takes)) <= 4


def test_what_was_learnt_stays_true_while_it_is_learnt_from() -> None:
    plan = LookPlan(10, HOUR)
    for _ in range(100):
        plan.learn(looks_at(plan, takes=180)[-1])
    looks = looks_at(plan, takes=180)
    assert len(looks) <= 4
    assert looks[-1] <= 180 * 1.25


def test_a_run_that_looks_late_does_not_learn_to_look_later() -> None:
    plan = LookPlan(10, HOUR, [180.0] * 20)
    for _ in range(20):
        plan.learn(plan.first_pause() + 300, late=300)
    assert plan.first_pause() < 0.8 * 180
    plan.learn(150, late=-1.0)  # a look cannot be early
    assert plan.first_pause() >= 10


@pytest.mark.parametrize("takes", [145, 150, 165, 180])
def test_a_batch_is_found_complete_soon_after_it_is(takes: float) -> None:
    looks = looks_at(LookPlan(10, HOUR, [180.0]), takes)
    assert looks[-1] - takes <= 0.15 * 180


def test_a_single_slow_batch_does_not_put_off_the_others() -> None:
    plan = LookPlan(10, HOUR, [180.0] * 5)
    plan.learn(3000)
    assert plan.first_pause() == pytest.approx(0.8 * 180)


def test_the_plan_follows_when_batches_become_slower() -> None:
    plan = LookPlan(10, HOUR, [60.0] * 20)
    for _ in range(20):
        plan.learn(600)
    assert plan.first_pause() == pytest.approx(0.8 * 600)


def test_times_that_cannot_be_are_not_learnt() -> None:
    assert LookPlan(10, HOUR, [0.0, -5.0]).first_pause() == 10


@given(usual_times, link_lives, st.integers(1, 200))
def test_with_results_no_pause_is_longer_than_half_the_life_of_a_link(
    earlier: list[float], link_life: float, looks: int
) -> None:
    for times in ([], earlier):
        plan = LookPlan(10, link_life, times)
        assert plan.next_pause(looks, has_results=True) <= link_life / 2


@given(usual_times, link_lives, st.floats(0.05, 600), st.floats(1, 3600), st.floats(0, 3600))
def test_a_link_is_seen_before_it_dies_whenever_it_appears(
    earlier: list[float], link_life: float, shortest: float, takes: float, appears: float
) -> None:
    for times in ([], earlier):
        plan = LookPlan(shortest, link_life, times)
        looks = looks_at(plan, takes + appears, results_from=appears)
        first_seen = next(moment for moment in looks if moment >= appears)
        assert first_seen - appears <= link_life * 0.75 + 1e-6


@given(usual_times, st.floats(0.05, 30))
def test_no_two_looks_follow_each_other_more_closely_than_is_set(
    earlier: list[float], shortest: float
) -> None:
    for times in ([], earlier):
        looks = looks_at(LookPlan(shortest, HOUR, times), takes=100 * shortest)
        pauses = [later - sooner for sooner, later in zip([0.0, *looks], looks, strict=False)]
        assert min(pauses) >= shortest * (1 - 1e-9)
