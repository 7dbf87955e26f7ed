"""What extracting days would cost: the numbers add up and rest on what earlier days needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_extract_dagster.extraction.forecast import Forecast, count_hits, forecast, measured_rates
from audio_extract_dagster.genesys import GenesysClient, LocalBudget
from audio_extract_dagster.model import MeasuredDay, Rates
from audio_extract_dagster.simulator import Simulator, World
from audio_extract_dagster_tests.builders import DAY
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.scenarios.day import CALENDAR

# A thousand bytes a call, so that the sums can be done in the head.
MEASURED = Rates(0.5, 0.1, 1000, measured_days=20)


def cost(*hits: int, rates: Rates = MEASURED) -> Forecast:
    """The cost of days with so many hits each, in batches of 90 at 240 requests a minute."""
    of_days = {DAY + timedelta(days=n): count for n, count in enumerate(hits)}
    return forecast(of_days, rates, batch_size=90, requests_per_minute=240)


# 10 pages and an empty one, login and settings, a batch with four looks, metadata of 50.
EXTRACTED = MeasuredDay(1000, 500, 50_000_000, 11 + 2 + 5 + 50, listings=1, batches=1)


def test_rates_are_assumed_until_a_day_has_been_extracted() -> None:
    holiday = MeasuredDay(0, 0, 0, 3, listings=1, batches=0)
    assert measured_rates([]) == measured_rates([holiday]) == Rates()


def test_rates_are_of_the_days_that_were_extracted() -> None:
    expected = Rates(0.5, 0.1, 100_000, 1)
    assert measured_rates([EXTRACTED]) == expected
    assert measured_rates([EXTRACTED, EXTRACTED]) == replace(expected, measured_days=2)


def test_days_that_were_listed_again_did_not_ask_for_more_metadata() -> None:
    again = replace(EXTRACTED, requests=EXTRACTED.requests + 2 * 13, listings=3)
    assert measured_rates([again]) == measured_rates([EXTRACTED])
    unknown = replace(EXTRACTED, listings=0)
    assert measured_rates([unknown]) == measured_rates([EXTRACTED])


def test_rates_never_say_that_more_than_each_call_needs_metadata_or_fewer_than_none() -> None:
    for requests, share in ((10_000, 1), (0, 0)):
        measured = measured_rates([replace(EXTRACTED, requests=requests)])
        assert measured.metadata_per_agent_call == share


def test_a_day_costs_pages_batches_with_their_looks_metadata_and_a_start() -> None:
    (day,) = cost(1000).days
    assert (day.conversations, day.agent_calls, day.bytes) == (1000, 500, 500_000)
    pages, batches, metadata, start = 10 + 1, 6, 50, 2
    assert day.requests == pages + batches * (1 + 4) + metadata + start


def test_an_empty_day_costs_its_page_and_the_start() -> None:
    (day,) = cost(0).days
    assert (day.agent_calls, day.requests, day.bytes) == (0, 1 + 2, 0)


def test_ten_thousand_calls_cost_hundreds_of_requests() -> None:
    """Against the 10,000 of a client that asks for each call's metadata."""
    ordinary = Rates(agent_calls_per_conversation=1.0, metadata_per_agent_call=0.02)
    assert cost(10_000, rates=ordinary).requests < 1000


def test_days_come_in_their_order_and_cost_nothing_when_there_are_none() -> None:
    unordered = {DAY: 1, date(2026, 3, 9): 2}
    found = forecast(unordered, MEASURED, batch_size=90, requests_per_minute=240)
    assert [day.day for day in found.days] == sorted(unordered)
    assert (cost().requests, cost().minutes, cost().gibibytes) == (0, 0, 0)


@given(
    st.lists(st.integers(0, 200_000), max_size=5),
    st.builds(
        Rates,
        agent_calls_per_conversation=st.floats(0, 1),
        metadata_per_agent_call=st.floats(0, 1),
        bytes_per_agent_call=st.floats(0, 1e8),
    ),
)
def test_the_whole_is_the_sum_of_its_days(hits: list[int], rates: Rates) -> None:
    found = cost(*hits, rates=rates)
    assert found.conversations == sum(hits)
    assert found.agent_calls == sum(day.agent_calls for day in found.days)
    assert found.requests == sum(day.requests for day in found.days)
    assert found.minutes == pytest.approx(found.requests / 240)
    assert found.gibibytes == pytest.approx(sum(day.bytes for day in found.days) / 2**30)
    for day in found.days:
        assert 0 <= day.agent_calls <= day.conversations
        # It never promises less than the pages and the submissions.
        assert day.requests > ceil(day.conversations / 100) + ceil(day.agent_calls / 90)


def test_counting_hits_is_one_request_a_day_and_counts_what_started_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    world, clock = World(seed=7, calls_per_day=40), FakeClock()
    wanted = [date(2026, 3, 9), DAY]
    with (
        Simulator(world, clock=clock) as simulator,
        GenesysClient(
            simulator.url,
            simulator.url,
            "id",
            "secret",
            budget=LocalBudget(240, clock),
            clock=clock,
        ) as client,
    ):
        hits = count_hits(client, CALENDAR, wanted, ())
        assert simulator.counters["details_query"] == len(wanted)
    for day in wanted:
        window = CALENDAR.window(day)
        started = [call for call in world.conversations(day) if call.story != "chat"]
        assert all(call.start in window for call in started)
        assert hits[day] >= len(started)
