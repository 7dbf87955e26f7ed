from __future__ import annotations

from audio_extract_dagster.genesys import SubmissionUncertain, Unavailable


def test_an_error_that_is_seen_as_another_keeps_what_is_known_of_it() -> None:
    fault = Unavailable(
        "no answer",
        "POST /x",
        status=503,
        code="busy",
        correlation_id="c0ffee-1",
        untouched=True,
        retry_after=7.0,
    )
    fault.tries, fault.waited = 3, 21.0

    seen = fault.as_a(SubmissionUncertain, "nobody knows")

    facts = "status 503, code busy, correlation id c0ffee-1, 3 tries, 21 s waited"
    assert seen.summary == f"Genesys Cloud, POST /x: nobody knows ({facts})"
    assert (seen.untouched, seen.retry_after) == (True, 7.0)
