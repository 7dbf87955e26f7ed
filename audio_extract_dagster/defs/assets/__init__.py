"""The five assets of a day, in the order in which they are made."""

from collections.abc import Mapping
from typing import Any, TypedDict

from sqlalchemy import Table

from audio_extract_dagster.defs.table_metadata import column_schema

_TAGS = {"source": "genesys_cloud"}
PERSONAL = {**_TAGS, "contains": "personal_data"}
NOT_PERSONAL = _TAGS
# Runs that ask Genesys take their turns in this pool, so that days go one after another.
GENESYS_POOL = "genesys_cloud"


class _OfEveryAsset(TypedDict):
    kinds: set[str]
    owners: list[str]
    tags: Mapping[str, str]
    metadata: Mapping[str, Any]


def kept_in(table: Table, tags: Mapping[str, str] = PERSONAL, *files: str) -> _OfEveryAsset:
    """What Dagster is told of every asset that is a table; `owners` are who is asked about it.

    `files` is the kind of place where what the rows tell of is kept.
    """
    return {
        "kinds": {"python", "postgres", *files},
        "owners": ["team:operations"],
        "tags": tags,
        "metadata": {"dagster/column_schema": column_schema(table)},
    }
