"""The data dictionary, made from the tables; `make dictionary` writes `docs/data-dictionary.md`.

A test compares the two.
"""

from __future__ import annotations

from sqlalchemy import Column, Dialect, Table
from sqlalchemy.dialects import postgresql

from audio_extract_dagster.database.tables import metadata
from audio_extract_dagster_tests.documents import ROOT

_POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

PLACE = ROOT / "docs" / "data-dictionary.md"

_HEAD = """\
# Data dictionary

Every table in the schema `PG_SCHEMA`, in the order in which a day fills them. PostgreSQL knows the
same texts as comments (`\\d+ audio_extract.audio_records`). Times are `timestamptz`, days are
business days in `TIMEZONE`. What each status and reason means is in the
[operations guide](operations.md#reasons).

Last month's calls of one queue, each with its recordings:

```sql
SELECT c.call_date, conversation_id, c.conversation_start, c.direction, c.answered, c.talk_ms,
       r.status, r.reason, r.uri, r.duration_seconds
  FROM audio_extract.agent_calls c
  LEFT JOIN audio_extract.audio_records r USING (conversation_id)
 WHERE c.call_date >= date_trunc('month', current_date) - interval '1 month'
   AND c.call_date < date_trunc('month', current_date)
   AND c.queue_id = 'the-queue-id'
 ORDER BY c.conversation_start, r.recording_id, r.part;
```

`queue_id` is the queue of the agent who answered; `conversations.queue_ids` names the queues in
which a call waited. Queues, agents and wrap-up codes are ids, as Genesys Cloud has them: names
change, and are looked up there. A call has a line for each recording, and for each part of one that
came in parts; a call without any has one line with the reason. The database of the demo is there to
be asked while `audio-extract dev` runs:

```sh
cd data/embedded/postgres
PGPASSWORD=$(cat password) psql -h 127.0.0.1 -p $(cat port) -U postgres audio_extract
```

"""
_COLUMNS = "| column | type | may be NULL | meaning |\n|---|---|---|---|\n"


def dictionary() -> str:
    """The whole page."""
    return _HEAD + "\n".join(_section(table) for table in metadata.tables.values())


def _section(table: Table) -> str:
    key = ", ".join(f"`{column.name}`" for column in table.primary_key)
    rows = "".join(_row(column) for column in table.columns)
    return f"## `{table.name}`\n\n{table.comment}. Key: {key}.\n\n{_COLUMNS}{rows}"


def _row(column: Column[object]) -> str:
    kind = column.type.compile(_POSTGRESQL).lower()
    kind = kind.replace("timestamp with time zone", "timestamptz")
    null = "yes" if column.nullable else ""
    return f"| `{column.name}` | `{kind}` | {null} | {column.comment} |\n"


if __name__ == "__main__":
    PLACE.write_text(dictionary(), encoding="utf-8")
