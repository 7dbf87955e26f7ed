"""Bars in a message, drawn with table cells: mail programs block pictures, and never these.

Each drawing says in its `aria-label` what it shows, for who listens to a message, and for a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from audio_extract_dagster.notify.layout import QUIET, heading
from audio_extract_dagster.palette import CALLS

# Narrower than this, a part of a bar is not seen.
_NARROWEST_PERCENT = 2
_TALLEST = 64
_HOURS_BETWEEN_LABELS = 6


@dataclass(frozen=True)
class Part:
    """A part of a bar: its name, how much it is, and its colour."""

    label: str
    value: int
    color: str


def stacked(parts: Sequence[Part]) -> str:
    """One bar in parts, as long as the message is wide; nothing where there is nothing."""
    shown = [part for part in parts if part.value]
    if not shown:
        return ""
    cells = "".join(
        f'<td width="{percent}%" height="16" bgcolor="{part.color}" '
        f'style="height:16px;font-size:0;line-height:0;background:{part.color}">&nbsp;</td>'
        for part, percent in zip(shown, _percents([part.value for part in shown]), strict=True)
    )
    told = ", ".join(f"{part.label} {part.value:,}" for part in shown)
    return _drawing(told, f"<tr>{cells}</tr>", "margin:4px 0 8px")


def by_hour(title: str, calls: Sequence[int]) -> str:
    """A column for each of the 24 hours; nothing for a day without calls."""
    most = max(calls, default=0)
    if not most:
        return ""
    columns = "".join(
        f'<td valign="bottom" style="vertical-align:bottom;padding:0 1px;height:{_TALLEST}px">'
        f"{_column(round(_TALLEST * number / most), number)}</td>"
        for number in calls
    )
    labels = "".join(
        f'<td colspan="{_HOURS_BETWEEN_LABELS}" style="{QUIET};padding:2px 1px">{hour}:00</td>'
        for hour in range(0, len(calls), _HOURS_BETWEEN_LABELS)
    )
    told = ", ".join(f"{hour}:00 {number:,}" for hour, number in enumerate(calls) if number)
    lines = f"<tr>{columns}</tr><tr>{labels}</tr>"
    return f"{heading(title)}{_drawing(told, lines, 'margin:8px 0 16px')}"


def _column(height: int, number: int) -> str:
    """A coloured cell of its own height: the one thing that every mail program draws."""
    tall = max(height, 1) if number else 1
    color = CALLS if number else "#e0e1e6"
    return (
        '<table role="presentation" width="100%" cellspacing="0" cellpadding="0"><tr>'
        f'<td height="{tall}" bgcolor="{color}" '
        f'style="height:{tall}px;font-size:0;line-height:0;background:{color}"></td></tr></table>'
    )


def _drawing(told: str, lines: str, margin: str) -> str:
    return (
        f'<div role="img" aria-label="{escape(told)}"><table role="presentation" width="100%" '
        f'cellspacing="0" cellpadding="0" style="width:100%;table-layout:fixed;{margin}">'
        f"{lines}</table></div>"
    )


def _percents(values: Sequence[int]) -> list[int]:
    """Whole percents that make 100, each wide enough to be seen; the widest gives what it takes."""
    total = sum(values)
    percents = [max(_NARROWEST_PERCENT, round(100 * value / total)) for value in values]
    widest = percents.index(max(percents))
    percents[widest] += 100 - sum(percents)
    return percents
