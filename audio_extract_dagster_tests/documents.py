"""Reads Markdown as far as the tests of the documents need it: blocks, tables, code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Fence(NamedTuple):
    """A fenced block: its language and what stands in it."""

    language: str
    text: str

    @property
    def lines(self) -> list[str]:
        """The lines, each with those that continue it."""
        return [line.strip() for line in self.text.replace("\\\n", " ").splitlines()]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def fences(text: str) -> list[Fence]:
    found = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [Fence(language, body) for language, body in found]


def prose(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def code(text: str) -> Iterator[str]:
    """Everything that stands as code: spans in the prose, lines of fenced blocks."""
    yield from re.findall(r"`([^`\n]+)`", prose(text))
    for fence in fences(text):
        yield from fence.lines


def table(text: str, first_column: str) -> list[list[str]]:
    """The rows of the table whose first column has this heading, without the ticks of code."""
    head = re.search(rf"^\| {first_column} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert head, f"no table with the column {first_column}"
    return [[c.strip() for c in row.split("|")[1:-1]] for row in head[1].splitlines()]


def names(text: str, first_column: str) -> list[str]:
    return [row[0].strip("`") for row in table(text, first_column)]
