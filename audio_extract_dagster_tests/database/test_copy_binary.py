"""What PostgreSQL sends in binary becomes a DataFrame: every kind, NULLs, any number."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import BigInteger, Boolean, Column, Date, Double, Engine, Integer, MetaData, Table
from sqlalchemy import Text as Words

from audio_extract_dagster.database.copy import copy_out
from audio_extract_dagster.database.copy_binary import FrameFile, readable
from audio_extract_dagster.database.tables import JSON, MOMENT, TEXTS

KINDS = Table(
    "kinds",
    MetaData(),
    Column("position", Integer),
    Column("words", Words),
    Column("big", BigInteger),
    Column("real", Double),
    Column("flag", Boolean),
    Column("day", Date),
    Column("moment", MOMENT),
    Column("list", TEXTS),
    Column("json", JSON),
)
FULL: dict[str, Any] = {
    "words": 'ñ \t\n\\ "quoted" 🙂',
    "big": -(2**63),
    "real": 0.1,
    "flag": True,
    "day": date(1969, 7, 20),
    "moment": datetime(1969, 7, 20, 20, 17, 40, 123456, tzinfo=timezone.utc),
    "list": ["a", None, 'b,"c"'],
    "json": {"n": [1, None], "t": "ñ"},
}
NULLS = dict.fromkeys(FULL)
EMPTY: dict[str, Any] = {**NULLS, "words": "", "list": [], "json": {}}


def frame_of(engine: Engine, rows: list[dict[str, Any]]) -> pd.DataFrame:
    file = FrameFile(list(KINDS.columns))
    with engine.connect() as connection:
        KINDS.create(connection)
        if rows:
            connection.execute(KINDS.insert(), rows)
        copy_out(connection, readable(list(KINDS.columns)).order_by(KINDS.c.position), file)
    return file.frame()


# None, one of each, and more than are decoded at a time, the last one ending with a NULL.
@pytest.mark.parametrize("number", [0, 1, 2, 3, 2500, 2501, 7502])
def test_rows_come_as_they_are(engine: Engine, number: int) -> None:
    kinds = [FULL, NULLS, EMPTY]
    rows = [{"position": n, **kinds[n % 3]} for n in range(number)]
    frame = frame_of(engine, rows)
    assert frame["position"].tolist() == list(range(number))
    for name in ("words", "big", "real", "flag", "day", "list"):
        values = [None if value is pd.NA else value for value in frame[name].tolist()]
        assert values == [row[name] for row in rows]
    moments = [None if pd.isna(value) else value for value in frame["moment"]]
    assert moments == [row["moment"] for row in rows]
    texts = {0: '{"n": [1, null], "t": "ñ"}', 1: None, 2: "{}"}
    assert frame["json"].tolist() == [texts[n % 3] for n in range(number)]
    assert [str(dtype) for dtype in frame.dtypes] == [
        *("Int64", "string", "Int64", "Float64", "boolean", "object"),
        *("datetime64[us, UTC]", "object", "object"),
    ]
