"""Text and JSON lose what PostgreSQL cannot store and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_extract_dagster.database.storable import clean_json, clean_text, to_json

any_text = st.text(st.characters(codec=None, exclude_categories=()))


@given(any_text)
def test_clean_text_can_be_stored(value: str) -> None:
    cleaned = clean_text(value)
    assert "\0" not in cleaned
    cleaned.encode()
    assert clean_text(cleaned) == cleaned


@given(st.text().filter(lambda value: "\0" not in value))
def test_good_text_stays_as_it_is(value: str) -> None:
    assert clean_text(value) == value


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("a\0b", "a\ufffdb"),
        ("\ud800", "\ufffd"),
        ("x\ud800y", "x\ufffdy"),
        ("\udc00\ud800", "\ufffd\ufffd"),
        ("\ud83d\ude00", "\U0001f600"),
    ],
)
def test_what_has_no_place_is_marked(value: str, cleaned: str) -> None:
    assert clean_text(value) == cleaned


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (r'"\u0000"', '"\ufffd"'),
        (r'"\\u0000"', r'"\\u0000"'),
        (r'"\\\u0000"', '"\\\\\ufffd"'),
        (r'"\ud83d\ude00"', r'"\ud83d\ude00"'),
        (r'"\uD83D\uDE00"', r'"\uD83D\uDE00"'),
        (r'"\ud83d"', '"\ufffd"'),
        (r'"\ude00\ud83d"', '"\ufffd\ufffd"'),
        (r'"\ud83d\ud83d\ude00"', '"\ufffd\\ud83d\\ude00"'),
        (r'"\ud83d\n"', '"\ufffd\\n"'),
        (r'"\u00e9"', r'"\u00e9"'),
    ],
)
def test_escapes_that_jsonb_refuses_are_replaced(text: str, cleaned: str) -> None:
    assert clean_json(text) == cleaned


@given(any_text)
def test_json_says_what_the_text_says(value: str) -> None:
    assert json.loads(to_json(value)) == clean_text(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_knows_no_nan(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        to_json({"value": value})
