"""Whatever an answer holds, reading it loses no hit and raises nothing unforeseen."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from datetime import timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audio_extract_dagster.genesys import wire
from audio_extract_dagster.genesys.tolerance import Unreadable
from audio_extract_dagster_tests.genesys.payloads import CONVERSATION, page_of

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters())
    | st.sampled_from(["2026-03-10T14:02:11.104Z", "9999-12-31T23:59:59-23:59", "\ud800"]),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The paths of all parts of a JSON value."""
    steps: list[Any] = []
    if isinstance(value, dict):
        steps = list(value)
    elif isinstance(value, list):
        steps = list(range(len(value)))
    return [path] * bool(path) + [
        place for step in steps for place in places(value[step], (*path, step))
    ]


@settings(max_examples=300, deadline=None)
@given(
    mutations=st.lists(st.tuples(st.sampled_from(places(CONVERSATION)), JSON), max_size=4),
    total=JSON,
)
@example(mutations=[(("conversationStart",), "9999-12-31T23:59:59-23:59")], total=1)
def test_every_hit_is_read_or_counted_whatever_is_in_it(
    mutations: list[tuple[tuple[str | int, ...], Any]], total: Any
) -> None:
    hit = copy.deepcopy(CONVERSATION)
    for path, value in mutations:
        place: Any = hit
        try:
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier mutation took the place away

    page = wire.read_conversation_page(page_of(hit, CONVERSATION, total=total))

    assert len(page.conversations) + page.unreadable == 2
    assert page.total_hits >= 0
    for found in page.conversations:
        json.loads(found.payload).keys()
        assert found.start.tzinfo is timezone.utc
        repr(found)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_broken_bytes_are_unreadable_and_nothing_worse(data: st.DataObject) -> None:
    body = bytearray(page_of(CONVERSATION))
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(body) - 1))
        body[index : index + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    for read in (
        wire.read_conversation_page,
        wire.read_conversation,
        wire.read_recording_metadata,
        wire.read_batch_id,
        wire.read_link_lifetime,
        wire.read_token,
        wire.read_name,
        wire.read_batch_status,
    ):
        with suppress(Unreadable):
            read(bytes(body))
    wire.read_error(bytes(body))


@settings(max_examples=200, deadline=None)
@given(
    fields=st.dictionaries(st.sampled_from(list(wire._JobStatus.__struct_encode_fields__)), JSON)
)
def test_a_status_is_read_whatever_its_values_are(fields: dict[str, Any]) -> None:
    body = json.dumps(fields).encode()
    if not isinstance(fields.get("results"), list | None):
        with pytest.raises(Unreadable):
            wire.read_batch_status(body)
        return

    status = wire.read_batch_status(body)

    assert len(status.results) == len(fields.get("results") or [])
    assert min(status.expected_count, status.result_count, status.error_count) >= 0
