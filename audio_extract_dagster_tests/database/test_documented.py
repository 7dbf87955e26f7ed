"""What the documents say about the database: its tables, and the questions one can ask them."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from audio_extract_dagster_tests.data_dictionary import PLACE, dictionary
from audio_extract_dagster_tests.documents import ROOT, fences

_QUERIES = [
    query.strip()
    for path in sorted((ROOT / "docs").rglob("*.md"))
    for fence in fences(path.read_text(encoding="utf-8"))
    if fence.language == "sql"
    for query in fence.text.split(";")
    if query.strip().startswith("SELECT")
]


def test_the_data_dictionary_is_that_of_the_tables() -> None:
    assert PLACE.read_text(encoding="utf-8") == dictionary(), "run `make dictionary`"


@pytest.mark.parametrize("query", _QUERIES)
def test_postgresql_understands_the_queries_of_the_documents(engine: Engine, query: str) -> None:
    with engine.connect() as connection:
        connection.execute(text(query))
