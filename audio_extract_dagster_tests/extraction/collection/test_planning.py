"""Which calls go into the next batch: each once, and once more if that may help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from audio_extract_dagster.database.ledger import records
from audio_extract_dagster.database.ledger.records import Asked
from audio_extract_dagster.extraction.collection.planning import BatchPlanner
from audio_extract_dagster.extraction.outcomes import ASK_AGAIN_IN_RUN
from audio_extract_dagster.model import (
    Ask,
    CallToAsk,
    Reason,
    Selection,
)
from audio_extract_dagster_tests.builders import DAY, NOW, START, add_calls, call, recording


@pytest.fixture
def seven(engine: Engine) -> list[CallToAsk]:
    """Seven calls, one a minute; the planner hands out three at a time."""
    calls = [call(f"c-{n}", conversation_start=START + timedelta(minutes=n)) for n in range(1, 8)]
    add_calls(engine, *calls)
    return calls


def planner(engine: Engine, batch_size: int = 3, **options: Selection) -> BatchPlanner:
    return BatchPlanner(engine, DAY, batch_size, **options)


def ids(calls: Sequence[CallToAsk]) -> list[str]:
    return [each.conversation_id for each in calls]


def settle(
    engine: Engine, planner: BatchPlanner, call: CallToAsk, reasons: Mapping[str, Reason]
) -> None:
    """The call has its answer, in the ledger and for the planner."""
    with engine.begin() as connection:
        records.write_reasons(connection, Asked(DAY, "b-1", NOW), [(call, reasons)])
    planner.answered(call, reasons.values())


def test_calls_come_in_the_order_of_the_day_each_once(
    engine: Engine, seven: list[CallToAsk]
) -> None:
    plan = planner(engine)
    groups = [ids(plan.next_calls(others_fly=False)) for _ in range(5)]
    assert groups == [["c-1", "c-2", "c-3"], ["c-4", "c-5", "c-6"], ["c-7"], [], []]


def test_a_day_that_fills_its_batches_exactly_ends(engine: Engine, seven: list[CallToAsk]) -> None:
    plan = planner(engine, batch_size=7)
    assert len(plan.next_calls(others_fly=False)) == 7
    assert plan.next_calls(others_fly=False) == []


def test_what_is_done_is_not_asked_for(engine: Engine, seven: list[CallToAsk]) -> None:
    by_id = {each.conversation_id: each for each in seven}
    stored = [recording("r-1", f"c-{n}") for n in range(1, 6)]
    with engine.begin() as connection:
        records.write_stored(connection, Asked(DAY, "b-1", NOW), stored, by_id)
    assert ids(planner(engine).next_calls(others_fly=False)) == ["c-6", "c-7"]


def test_what_is_on_its_way_from_an_earlier_run_is_not_asked_for(
    engine: Engine, seven: list[CallToAsk]
) -> None:
    plan = planner(engine)
    plan.take(ids(seven[:4]))
    assert ids(plan.next_calls(others_fly=False)) == ["c-5", "c-6", "c-7"]
    assert plan.next_calls(others_fly=False) == []


def test_a_batch_is_filled_up_past_what_is_on_its_way(
    engine: Engine, seven: list[CallToAsk]
) -> None:
    plan = planner(engine, batch_size=4)
    plan.take(["c-1"])
    groups = [ids(plan.next_calls(others_fly=False)) for _ in range(3)]
    assert groups == [["c-2", "c-3", "c-4", "c-5"], ["c-6", "c-7"], []]


@pytest.mark.parametrize("reason", [each for each in Reason if each in ASK_AGAIN_IN_RUN])
def test_a_call_that_a_new_batch_may_help_is_asked_for_once_more(
    engine: Engine, seven: list[CallToAsk], reason: Reason
) -> None:
    plan = planner(engine, batch_size=7)
    (first, *_) = plan.next_calls(others_fly=False)
    settle(engine, plan, first, {"r-1": reason})
    (again,) = plan.next_calls(others_fly=False)
    assert again.conversation_id == first.conversation_id
    assert again.unsettled_ids == {"r-1"}
    assert not plan.may_ask_again(again)
    settle(engine, plan, again, {"r-1": reason})
    assert plan.next_calls(others_fly=False) == []


@pytest.mark.parametrize("reason", [Reason.UPLOADING, Reason.CALL_OPEN, Reason.DELETED])
def test_a_call_that_only_time_can_help_is_not(
    engine: Engine, seven: list[CallToAsk], reason: Reason
) -> None:
    plan = planner(engine, batch_size=7)
    (first, *_) = plan.next_calls(others_fly=False)
    settle(engine, plan, first, {"": reason})
    assert plan.next_calls(others_fly=False) == []


def test_stragglers_wait_until_they_fill_a_batch_or_nothing_else_is_on_its_way(
    engine: Engine, seven: list[CallToAsk]
) -> None:
    plan = planner(engine, batch_size=7)
    calls = plan.next_calls(others_fly=False)
    for each in calls[:6]:
        settle(engine, plan, each, {"": Reason.BATCH_UNFINISHED})
    assert plan.next_calls(others_fly=True) == []
    assert len(plan.next_calls(others_fly=False)) == 6


def test_stragglers_that_fill_a_batch_wait_for_nobody(
    engine: Engine, seven: list[CallToAsk]
) -> None:
    plan = planner(engine, batch_size=3)
    calls = [each for _ in range(3) for each in plan.next_calls(others_fly=False)]
    for each in calls[:3]:
        assert plan.next_calls(others_fly=True) == []
        settle(engine, plan, each, {"": Reason.BATCH_UNFINISHED})
    assert ids(plan.next_calls(others_fly=True)) == ["c-1", "c-2", "c-3"]
    settle(engine, plan, calls[3], {"": Reason.BATCH_UNFINISHED})
    assert plan.next_calls(others_fly=True) == []
    assert ids(plan.next_calls(others_fly=False)) == ["c-4"]


def test_a_lost_reply_is_planned_again_behind_everything_new(
    engine: Engine, seven: list[CallToAsk]
) -> None:
    plan = planner(engine)
    lost = plan.next_calls(others_fly=False)
    assert plan.reply_lost(lost)
    groups = [sorted(ids(plan.next_calls(others_fly=True))) for _ in range(4)]
    assert groups == [["c-4", "c-5", "c-6"], ["c-7"], ids(lost), []]


def test_a_call_whose_reply_is_always_lost_is_found_by_halving(
    engine: Engine, seven: list[CallToAsk]
) -> None:
    plan = planner(engine, batch_size=7)
    accepted: list[str] = []
    again = []
    while calls := plan.next_calls(others_fly=False):
        if "c-5" in ids(calls):
            again.append(plan.reply_lost(calls))
        else:
            accepted += ids(calls)
    assert sorted(accepted) == ["c-1", "c-2", "c-3", "c-4", "c-6", "c-7"]
    # Twice as a whole, then a half, a quarter and the call itself.
    assert again == [True] * 4 + [False]


def test_a_refused_batch_is_halved_until_the_call_is_found(
    engine: Engine, seven: list[CallToAsk]
) -> None:
    plan = planner(engine, batch_size=7)
    accepted: list[str] = []
    refusals = 0
    while calls := plan.next_calls(others_fly=False):
        if "c-5" in ids(calls):
            refusals += 1
            assert plan.refused(calls) is (len(calls) > 1)
        else:
            accepted += ids(calls)
    assert sorted(accepted) == ["c-1", "c-2", "c-3", "c-4", "c-6", "c-7"]
    assert refusals == 4


def test_a_run_that_looks_for_new_calls_leaves_the_others_alone(
    engine: Engine, seven: list[CallToAsk]
) -> None:
    settle(engine, planner(engine), seven[0], {"r-1": Reason.UPLOADING})
    plan = planner(engine, batch_size=7, selection=Selection(Ask.NEW_CALLS))
    assert ids(plan.next_calls(others_fly=False)) == [f"c-{n}" for n in range(2, 8)]


def test_force_asks_for_what_is_settled_too_each_once(
    engine: Engine, seven: list[CallToAsk]
) -> None:
    with engine.begin() as connection:
        asked = Asked(DAY, "b-1", NOW)
        records.write_stored(connection, asked, [recording()], {"c-1": seven[0]})
        records.write_reasons(connection, asked, [(seven[1], {"r-1": Reason.DELETED})])
    chosen = Selection(Ask.ALL_CALLS, ("c-1", "c-2"))
    plan = planner(engine, selection=chosen)
    calls = plan.next_calls(others_fly=False)
    assert ids(calls) == ["c-1", "c-2"]
    assert all(each.fetch_again for each in calls)
    assert plan.next_calls(others_fly=False) == []


def test_named_calls_are_asked_for_alone_and_only_while_they_are_open(
    engine: Engine, seven: list[CallToAsk]
) -> None:
    settle(engine, planner(engine), seven[0], {"r-1": Reason.DELETED})
    settle(engine, planner(engine), seven[1], {"r-1": Reason.UPLOADING})
    chosen = Selection(conversation_ids=("c-1", "c-2", "c-5", "of-another-day"))
    calls = planner(engine, selection=chosen).next_calls(others_fly=False)
    assert ids(calls) == ["c-2", "c-5"]
    assert not any(each.fetch_again for each in calls)


def test_what_is_fetched_by_force_is_planned_again_after_a_lost_reply(
    engine: Engine, seven: list[CallToAsk]
) -> None:
    with engine.begin() as connection:
        records.write_stored(connection, Asked(DAY, "b-1", NOW), [recording()], {"c-1": seven[0]})
    plan = planner(engine, selection=Selection(Ask.ALL_CALLS, ("c-1",)))
    plan.reply_lost(plan.next_calls(others_fly=False))
    (again,) = plan.next_calls(others_fly=False)
    assert (again.conversation_id, again.fetch_again) == ("c-1", True)
