from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_extract_dagster.redaction import RedactingFilter, redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "GET https://s3.example/rec/1.ogg?X-Amz-Signature=abc&X-Amz-Expires=60 failed",
            "GET https://s3.example/rec/1.ogg?*** failed",
        ),
        ('"GET /rec/1.ogg?sig=abc HTTP/1.1" 403', '"GET /rec/1.ogg?*** HTTP/1.1" 403'),
        ("postgresql://user:pass@db:5432/x", "postgresql://***@db:5432/x"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ***"),
        ("client_secret=abc&grant=x", "client_secret=***&grant=x"),
        ('{"access_token": "abc", "a": 1}', '{"access_token": ***, "a": 1}'),
        ("password='a b' next", "password=*** next"),
        ("call from +51 999 888 777 was lost", "call from *** was lost"),
        ("ani tel:+51999888777, dnis 014567890", "ani tel:*** dnis ***"),
        ("(01) 456-7890 rang", "*** rang"),
        ("sip:+51999888777@edge.example;user=phone", "sip:***"),
        ("mail to ana.perez@example.com bounced", "mail to ***@example.com bounced"),
    ],
)
def test_what_is_hidden(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Run 11111111-2222-4333-8444-555555555555 of 2026-03-11 failed 2026-03-11T06:00:01.123Z.",
        "2026-03-11 06:00:00-05:00 to 2026-03-12 06:00:00",
        "127.0.0.1:5432 refused; PG_PASSWORD is required and not set; BATCH_SIZE must be 1 to 100",
        "Pagination may not exceed 100000 results.",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "What now? Why? Basic settings: token expired.",
        "Call recordings of 2026-03-11 to 2026-03-14: 118 stored, 4 open",
    ],
)
def test_what_stays(text: str) -> None:
    assert redact(text) == text


phones = st.from_regex(r"\A\+?[1-9][0-9]{1,3}[ .-]?[0-9]{3}[ .-]?[0-9]{3,4}\Z")
words = st.sampled_from(["", "call from ", "(", "ani=", "to: ", '"'])


@given(words, phones, st.sampled_from(["", " failed", ")", ", again", ".", '"']))
def test_no_telephone_number_gets_through(before: str, phone: str, after: str) -> None:
    assert phone.lstrip("+") not in redact(f"{before}{phone}{after}")


@given(st.from_regex(r"\A[A-Za-z0-9%/+=_.-]{8,60}\Z"))
def test_no_signature_gets_through(signature: str) -> None:
    assert signature not in redact(f"<https://host.example/a/b.ogg?s={signature}> is gone")


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


def test_the_filter_hides_what_other_libraries_log(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("somebody.else")
    hide = RedactingFilter()
    logger.addFilter(hide)
    try:
        logger.warning("retry %s in %d s", "https://host.example/a?sig=s3cret", 3)
    finally:
        logger.removeFilter(hide)
    assert caplog.messages == ["retry https://host.example/a?*** in 3 s"]
