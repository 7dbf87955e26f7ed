"""Which calls a run asks for, in which order, and what it knows of them."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations, product

import pytest
from sqlalchemy import Engine, insert

from audio_extract_dagster.database.ledger.calls import (
    Position,
    calls_of_day,
    is_open,
    named_calls,
    next_calls,
)
from audio_extract_dagster.database.tables import audio_records
from audio_extract_dagster.model import Ask, KnownRecord, Reason, RecordStatus, Selection
from audio_extract_dagster_tests.builders import DAY, NOW, START, add_calls, call, recording
from audio_extract_dagster_tests.database.ledger_records import end, give, load, mark, store

FILE = {"uri": "file:///a", "size_bytes": 1, "sha256": "ab"}
REASONS = {
    RecordStatus.STORED: None,
    RecordStatus.PENDING: "uploading",
    RecordStatus.MISSING: "deleted",
    RecordStatus.FAILED: "not_audio",
}


def ask(
    engine: Engine,
    limit: int = 100,
    after: Position | None = None,
    selection: Selection = Selection(),  # noqa: B008 - frozen
    day: date = DAY,
) -> list[str]:
    with engine.connect() as connection:
        found = next_calls(connection, day, limit, after, selection)
    return [each.conversation_id for each in found]


@pytest.fixture
def a_call_of_each_kind(engine: Engine) -> None:
    add_calls(engine, *map(call, ["new", "pending", "failed", "stored", "missing", "half"]))
    add_calls(engine, call("open", ended_at=None), call("ended since", ended_at=None))
    add_calls(engine, call("other day"), day=date(2026, 3, 9))
    give(engine, {"": Reason.CALL_OPEN}, "pending")
    give(engine, {"r-1": Reason.TRANSFER_BROKEN}, "failed")
    give(engine, {"r-1": Reason.DELETED}, "missing")
    store(engine, recording("r-1", "stored"), recording("r-1", "half"))
    give(engine, {"r-2": Reason.UPLOADING}, "half")
    store(engine, recording("r-1", "open"), recording("r-1", "ended since"))
    mark(engine, "open", "ended since")
    end(engine, "ended since")


@pytest.mark.usefixtures("a_call_of_each_kind")
@pytest.mark.parametrize(
    ("selection", "asked"),
    [
        (Selection(), ["ended since", "failed", "half", "new", "pending"]),
        (Selection(Ask.NEW_CALLS), ["new"]),
        (
            Selection(Ask.ALL_CALLS),
            ["ended since", "failed", "half", "missing", "new", "open", "pending", "stored"],
        ),
        (Selection(Ask.ALL_CALLS, ("stored", "other day")), ["stored"]),
        (Selection(Ask.OPEN_CALLS, ("stored", "half")), ["half"]),
    ],
)
def test_a_run_asks_for_what_is_open_and_only_by_force_for_more(
    engine: Engine, selection: Selection, asked: list[str]
) -> None:
    assert ask(engine, selection=selection) == asked


def test_the_rule_is_the_same_for_calls_that_were_read_and_for_the_database(
    engine: Engine,
) -> None:
    """Calls with up to two records, in every combination of what matters."""
    kinds = list(product(REASONS.items(), [False, True]))
    several = [[], *([kind] for kind in kinds), *combinations(kinds, 2)]
    cases = {f"c-{n}": case for n, case in enumerate(product([NOW, None], several))}
    add_calls(engine, *(call(name, ended_at=ended) for name, (ended, _) in cases.items()))
    with engine.begin() as connection:
        for name, (_, known) in cases.items():
            for number, ((status, reason), more) in enumerate(known):
                connection.execute(
                    insert(audio_records).values(
                        conversation_id=name,
                        recording_id=f"r-{number}",
                        call_date=DAY,
                        status=status.value,
                        reason=reason,
                        may_have_more=more,
                        updated_at=NOW,
                        **FILE,
                    )
                )
        read = [each.conversation_id for each in calls_of_day(connection, DAY) if is_open(each)]
    assert 0 < len(read) < len(cases)
    assert sorted(ask(engine, len(cases))) == sorted(read)


def test_a_call_that_may_have_more_is_asked_once_it_has_ended_until_it_has_not(
    engine: Engine,
) -> None:
    add_calls(engine, call(ended_at=None), call("c-2"))
    store(engine, recording(), recording("r-1", "c-2"))
    mark(engine, "c-1")
    assert ask(engine) == []
    end(engine)
    assert load(engine).may_have_more
    assert ask(engine) == ["c-1"]
    store(engine, recording())  # what is written again says nothing about what is to come
    assert ask(engine) == ["c-1"]
    mark(engine)
    assert ask(engine) == []


def test_calls_come_in_the_order_of_the_day_a_group_at_a_time(engine: Engine) -> None:
    add_calls(
        engine,
        call("c-4", conversation_start=START + timedelta(microseconds=1)),
        call("c-2"),
        call("c-3"),
        call("c-1", conversation_start=START + timedelta(hours=1)),
    )
    assert ask(engine, 2) == ["c-2", "c-3"]
    after = Position(START, "c-3")
    assert ask(engine, 2, after) == ["c-4", "c-1"]
    assert ask(engine, 2, Position(START + timedelta(hours=1), "c-1")) == []


def test_a_call_is_read_with_what_decides_its_outcome(engine: Engine) -> None:
    asked = call("c-1", ended_at=None, answered=False, recording_sessions=3)
    add_calls(engine, asked)
    assert load(engine) == asked
    give(engine, {"r-1": Reason.UPLOADING})
    assert load(engine).records == (KnownRecord("r-1", RecordStatus.PENDING, 1, NOW),)


def test_unknown_calls_are_left_out(engine: Engine) -> None:
    add_calls(engine, call("c-1"))
    with engine.connect() as connection:
        assert [each.conversation_id for each in named_calls(connection, ["c-9", "c-1"])] == ["c-1"]
        assert named_calls(connection, []) == []
