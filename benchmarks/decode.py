"""From the bytes of a page to the rows of `conversations`, and on to those of `agent_calls`.

The yardstick only parses the same bytes. Ours reads what it needs of them, checks it, decides
whether the call is an agent call, and makes the row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timezone
from functools import partial

import msgspec
import orjson

from audio_extract_dagster.business_days import Window
from audio_extract_dagster.database.day_tables import DayRows
from audio_extract_dagster.extraction.agent_calls import agent_call_rows
from audio_extract_dagster.extraction.listing import COLUMNS, DayListing
from audio_extract_dagster.genesys import ConversationPage
from audio_extract_dagster.genesys.wire import read_conversation_page
from audio_extract_dagster.simulator import World
from benchmarks.measure import Candidate, Finding, compare, main, say, timed

_DAY = date(2026, 3, 10)
_CALLS = 2000
_PAGE = 100
_TIMES = 20  # once is a twentieth of a second
_WINDOW = Window(
    datetime(2026, 3, 10, 5, tzinfo=timezone.utc), datetime(2026, 3, 11, 5, tzinfo=timezone.utc)
)


class _Pages:
    """Pages of a listing, out of memory."""

    def __init__(self, pages: Sequence[bytes]) -> None:
        self._pages = pages

    def query_conversations(
        self,
        start: datetime,
        end: datetime,
        queue_ids: Sequence[str],
        page_number: int,
        page_size: int,
    ) -> ConversationPage:
        del start, end, queue_ids, page_size
        if page_number > len(self._pages):
            return ConversationPage([], _CALLS, 0)
        return read_conversation_page(self._pages[page_number - 1])


def measure(rounds: int) -> list[Finding]:
    pages, average = _pages()
    texts = [bytes(raw) for page in pages for raw in _raws(page)]
    say(f"{_CALLS} conversations of {average / 1000:.1f} kB")
    listed = [row for row in DayListing(_Pages(pages), _DAY, _WINDOW, ()).rows() if row[6]]
    rows = [(True, bytes(row[-1]).decode()) for row in listed if isinstance(row[-1], bytes)]

    def choose() -> None:
        for _ in DayListing(_Pages(pages), _DAY, _WINDOW, ()).rows():
            pass

    def describe() -> None:
        for _ in agent_call_rows(_DAY, DayRows(("has_agent", "payload"), iter(rows))).rows:
            pass

    def parse() -> None:
        for page in pages:
            orjson.loads(page)

    def parse_each() -> None:
        for each in texts:
            orjson.loads(each)

    per_call = f"{average / 1000:.0f} kB conversations"
    chosen = compare(
        "orjson.loads",
        partial(_several_times, parse),
        [
            Candidate(
                f"decode and choose agent calls, {per_call}", partial(_several_times, choose), 0.6
            )
        ],
        rounds,
    )
    described = compare(
        "orjson.loads",
        partial(_several_times, parse_each),
        [Candidate("decode again and describe agent calls", partial(_several_times, describe))],
        rounds,
    )
    assert COLUMNS[6] == "has_agent"  # noqa: S101 - what `rows` above relies on
    return [*chosen, *described]


def _several_times(action: Callable[[], None]) -> float:
    def repeat() -> None:
        for _ in range(_TIMES):
            action()

    return timed(repeat)


def _pages() -> tuple[list[bytes], float]:
    """A day in pages, and the bytes of an average conversation."""
    calls = [call for call in World(1, 12_000).conversations(_DAY) if call.story != "chat"]
    # The simulated calls are shorter than real ones: the longest of them are like those.
    payloads = sorted((msgspec.json.encode(call.payload) for call in calls), key=len)[-_CALLS:]
    pages = [
        msgspec.json.encode(
            {
                "conversations": [msgspec.Raw(each) for each in payloads[at : at + _PAGE]],
                "totalHits": _CALLS,
            }
        )
        for at in range(0, _CALLS, _PAGE)
    ]
    return pages, sum(map(len, pages)) / _CALLS


class _Page(msgspec.Struct):
    conversations: list[msgspec.Raw]


def _raws(page: bytes) -> list[msgspec.Raw]:
    return msgspec.json.decode(page, type=_Page).conversations


if __name__ == "__main__":
    main(measure)
