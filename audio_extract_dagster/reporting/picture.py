"""Draws the shape of a day: calls by hour, outcome of the recordings, their length.

Needs matplotlib, which is imported when a picture is drawn and not before. The card has its own
light ground, so that it reads the same on a light and on a dark page.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from audio_extract_dagster.model import DayShape
from audio_extract_dagster.palette import CALLS, RECORDINGS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GROUND, _INK = "#f7f7f5", "#2b2f36"


def draw_day(shape: DayShape, title: str) -> bytes:
    """The picture as PNG, 1,100 by 340 pixels, some 30 kB."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.4), dpi=100, facecolor=_GROUND)
    # Margins for what is always the same; having them found takes as long as all the drawing.
    figure.subplots_adjust(left=0.05, right=0.985, bottom=0.16, top=0.82, wspace=0.24)
    figure.suptitle(title, color=_INK, fontsize=12)
    hours, outcome, lengths = figure.subplots(1, 3)
    _bars(hours, shape.calls_by_hour, "Agent calls by hour", "hour of the day")
    _outcome(outcome, shape)
    _bars(lengths, shape.recordings_by_minutes, "Length of the recordings", "minutes")
    picture = BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _bars(axes: Axes, values: Sequence[int], title: str, unit: str) -> None:
    axes.bar(range(len(values)), values, color=CALLS, width=0.85)
    axes.set_xlabel(unit, color=_INK)
    _dress(axes, title)


def _outcome(axes: Axes, shape: DayShape) -> None:
    statuses = list(shape.records_by_status)[::-1]
    counts = [shape.records_by_status[status] for status in statuses]
    bars = axes.barh(
        [status.value.lower() for status in statuses],
        counts,
        color=[RECORDINGS[status] for status in statuses],
    )
    axes.bar_label(bars, labels=[f" {count:,}" for count in counts], color=_INK)
    axes.margins(x=0.15)
    _dress(axes, "What became of the recordings")


def _dress(axes: Axes, title: str) -> None:
    axes.set_title(title, color=_INK, fontsize=10)
    axes.set_facecolor(_GROUND)
    axes.tick_params(colors=_INK, labelsize=8)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color("#b8bcc2")
