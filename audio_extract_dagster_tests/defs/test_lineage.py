"""Which column comes from which: only columns that there are, and only from assets upstream."""

from __future__ import annotations

from pathlib import Path

import pytest
from dagster import AssetKey

from audio_extract_dagster.database.tables import metadata
from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.lineage import column_lineage
from audio_extract_dagster_tests.defs.location import ASSETS, dagster_asks_old_pydantic

pytestmark = dagster_asks_old_pydantic

# What no other table has: how much the runs of the day spent.
NOT_DERIVED = {"agent_calls": set(), "daily_report": {"requests", "wait_seconds"}}


@pytest.mark.parametrize("asset", sorted(ASSETS))
def test_every_column_named_exists_and_its_source_is_upstream(
    working_folder: Path, asset: str
) -> None:
    parents = definitions().resolve_asset_graph().get(AssetKey(asset)).parent_keys
    for column, sources in column_lineage(asset).deps_by_column.items():
        assert column in metadata.tables[asset].columns
        for source in sources:
            assert source.asset_key in parents
            table = metadata.tables[source.asset_key.to_user_string()]
            assert source.column_name in table.columns


@pytest.mark.parametrize("asset", sorted(NOT_DERIVED))
def test_every_column_of_a_derived_table_has_its_source(asset: str) -> None:
    columns = {column.name for column in metadata.tables[asset].columns}
    assert set(column_lineage(asset).deps_by_column) == columns - NOT_DERIVED[asset]


def test_conversations_come_from_genesys_and_from_no_column() -> None:
    assert column_lineage("conversations").deps_by_column == {}
