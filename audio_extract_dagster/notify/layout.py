"""How a message looks: plain HTML with inline styles, which is all that mail programs agree on.

Every text that comes in is escaped here and nowhere else. No words of a language live here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape, unescape

GOOD, FAIR, BAD = "#18794e", "#ad5700", "#c62a2f"

QUIET = "color:#60646c;font-size:13px"
_SMALL = "color:#60646c;font-size:11px"
_CELL = "padding:8px 4px;border-top:1px solid #e0e1e6;vertical-align:top"
_NUMBER = f"{_CELL};text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums"


@dataclass(frozen=True)
class Row:
    """A line of a table: what, how much, a word of explanation below, its colour in a bar."""

    label: str
    value: str
    note: str = ""
    color: str = ""


def document(body: str, language: str) -> str:
    """A whole page, no wider than reads well, as narrow as the screen is."""
    return (
        f'<!DOCTYPE html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"></head>'
        '<body style="margin:0;padding:16px;background:#ffffff;color:#1c2024;'
        'font:16px/1.45 -apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif">'
        f'<div style="max-width:600px;margin:0 auto">{body}</div></body></html>'
    )


def paragraph(text: str) -> str:
    """Plain text; an empty one is nothing."""
    return f'<p style="margin:0 0 16px">{_lines(text)}</p>' if text.strip() else ""


def headline(text: str, status: str, tone: str) -> str:
    """What the message is about, and in one coloured line how it stands."""
    return (
        f'<h1 style="margin:0 0 8px;font-size:20px">{escape(text)}</h1>'
        f'<p style="margin:0 0 16px;padding:10px 12px;border-radius:6px;background:{tone};'
        f'color:#ffffff;font-weight:600">{escape(status)}</p>'
    )


def heading(text: str) -> str:
    """What stands above a part of the message."""
    return f'<h2 style="margin:16px 0 4px;font-size:16px">{escape(text)}</h2>'


def note(title: str, text: str) -> str:
    """A heading with a text below."""
    return f'{heading(title)}<p style="margin:0 0 16px;overflow-wrap:anywhere">{_lines(text)}</p>'


def table(title: str, rows: Iterable[Row], drawing: str = "") -> str:
    """Labels on the left, numbers on the right; a drawing of them above."""
    lines = "".join(
        f'<tr><td style="{_CELL}">{_mark(row.color)}{escape(row.label)}{_small(row.note)}</td>'
        f'<td style="{_NUMBER}">{escape(row.value)}</td></tr>'
        for row in rows
    )
    return f"{heading(title)}{drawing}{_table(lines)}"


def grid(columns: Sequence[str], rows: Iterable[tuple[Row, Sequence[str]]]) -> str:
    """Lines with several numbers: label and note on the left; narrow enough for a telephone."""
    names = "".join(
        f'<th align="{"right" if i else "left"}" style="{_NUMBER if i else _CELL};{_SMALL}">'
        f"{escape(name)}</th>"
        for i, name in enumerate(columns)
    )
    lines = "".join(
        f'<tr><td style="{_CELL};white-space:nowrap">{escape(row.label)}{_small(row.note)}</td>'
        + "".join(f'<td style="{_NUMBER}">{escape(number)}</td>' for number in numbers)
        + "</tr>"
        for row, numbers in rows
    )
    return _table(f"<tr>{names}</tr>{lines}")


def link(text: str, url: str) -> str:
    """A link, if it is one a mail may carry; else nothing."""
    if not url.startswith(("https://", "http://")):
        return ""
    return f'<p style="margin:16px 0"><a href="{escape(url)}">{escape(text)}</a></p>'


def plain_text(html: str) -> str:
    """What a message says, for a log: one line for each row, paragraph or drawing."""
    told = re.sub(r'<div role="img" aria-label="([^"]*)">.*?</div>', r"\1</p>", html)
    lines = re.sub(r"</(?:p|h1|h2|tr)>", "\n", told)
    words = re.sub(r"<br>|</t[dh]>", " ", lines)
    text = unescape(re.sub(r"<[^>]*>", "", words))
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


def _lines(text: str) -> str:
    return escape(text.strip()).replace("\n", "<br>")


def _small(text: str) -> str:
    return f'<br><span style="{QUIET}">{escape(text)}</span>' if text else ""


def _mark(color: str) -> str:
    """The colour by which a bar above names the line."""
    if not color:
        return ""
    box = "display:inline-block;width:10px;height:10px;border-radius:2px;font-size:10px"
    return f'<span style="{box};line-height:10px;background:{color};margin-right:6px">&nbsp;</span>'


def _table(lines: str) -> str:
    return (
        '<table role="presentation" cellspacing="0" cellpadding="0" '
        f'style="width:100%;border-collapse:collapse;margin:0 0 16px">{lines}</table>'
    )
