"""Writing and reading the rows of whole days: what the IO manager stands on.

For the tables that are written a day at a time (`conversations`, `agent_calls`, `daily_report`).
The tables of the ledger change row by row and are not written here.
"""

from audio_extract_dagster.database.day_tables.reading import read_day, stream_day
from audio_extract_dagster.database.day_tables.rows import DayRows, DayWritten, WrongRows
from audio_extract_dagster.database.day_tables.writing import replace_day

__all__ = ["DayRows", "DayWritten", "WrongRows", "read_day", "replace_day", "stream_day"]
