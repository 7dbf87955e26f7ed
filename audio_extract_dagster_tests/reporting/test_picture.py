"""The picture of a day: of the right size, the same for the same day, different for another."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from audio_extract_dagster.model import DayShape, RecordStatus
from audio_extract_dagster.reporting.picture import draw_day

TITLE = "Call recordings of 2026-03-10"
STORED, FAILED = RecordStatus.STORED, RecordStatus.FAILED
BY_STATUS = dict(zip(RecordStatus, (11_523, 3, 75, 0), strict=True))
DAY = DayShape(
    calls_by_hour=tuple(40 * (hour % 12) for hour in range(24)),
    records_by_status=BY_STATUS,
    recordings_by_minutes=tuple(range(31)),
)
EMPTY = DayShape((0,) * 24, dict.fromkeys(RecordStatus, 0), (0,) * 31)
HUGE = DayShape((100_000,) * 24, dict.fromkeys(RecordStatus, 2_400_000), (80_000,) * 31)


def opened(picture: bytes) -> Image.Image:
    image = Image.open(BytesIO(picture))
    image.load()
    return image


@pytest.mark.parametrize("shape", [DAY, EMPTY, HUGE], ids=["usual", "empty", "huge"])
def test_it_is_a_small_png_of_the_promised_size_with_something_on_it(shape: DayShape) -> None:
    picture = draw_day(shape, TITLE)
    image = opened(picture)
    assert (image.format, image.size) == ("PNG", (1100, 340))
    assert len(picture) < 60_000
    colors = image.convert("RGB").getcolors(maxcolors=2**24)
    assert colors is not None
    assert len(colors) > 20


def test_the_same_day_looks_the_same() -> None:
    assert draw_day(DAY, TITLE) == draw_day(DAY, TITLE)


@pytest.mark.parametrize(
    "other",
    [
        replace(DAY, calls_by_hour=(500, *DAY.calls_by_hour[1:])),
        replace(DAY, recordings_by_minutes=(*DAY.recordings_by_minutes[:-1], 99)),
        # Too small to be seen beside the stored ones, so it must be read.
        replace(DAY, records_by_status={**BY_STATUS, FAILED: 1}),
        replace(DAY, records_by_status={**BY_STATUS, STORED: 11_524}),
    ],
    ids=["an hour", "a length", "one that failed", "one more stored"],
)
def test_every_number_shows(other: DayShape) -> None:
    assert opened(draw_day(other, TITLE)).tobytes() != opened(draw_day(DAY, TITLE)).tobytes()


def test_the_title_shows() -> None:
    assert draw_day(DAY, TITLE) != draw_day(DAY, "Call recordings of 2026-03-11")
