"""Links that hold: to code that is there, to the folder or the bucket of a day."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.links import files_of_day
from audio_extract_dagster.storage import FolderStorage, open_storage
from audio_extract_dagster_tests.defs.location import ASSETS, dagster_asks_old_pydantic

pytestmark = dagster_asks_old_pydantic


def code_of(asset: str) -> list[Any]:
    """The references of an asset, its own function first."""
    node = definitions().resolve_asset_graph().get(dg.AssetKey(asset))
    references: list[Any] = node.metadata["dagster/code_references"].code_references
    return references


@pytest.mark.parametrize("asset", sorted(ASSETS))
def test_an_asset_leads_to_its_function_and_to_the_business(
    working_folder: Path, asset: str
) -> None:
    own, *business = code_of(asset)
    assert business
    for reference in (own, *business):
        lines = Path(reference.file_path).read_text(encoding="utf-8").splitlines()
        name = reference.label.rpartition(".")[2]
        # A decorated function begins with its decorators.
        decorated = lines[reference.line_number - 1 :]
        assert next(line for line in decorated if "def " in line).split("def ")[1].startswith(name)
    assert "/defs/assets/" in own.file_path
    assert not any("/defs/" in each.file_path for each in business)


def test_with_a_repository_they_are_web_links(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_CODE_URL", "https://git.example.com/tree/v1/")
    own, *_ = code_of("conversations")
    path = "audio_extract_dagster/defs/assets/conversations.py"
    assert own.url.startswith(f"https://git.example.com/tree/v1/{path}#L")
    assert own.label == "conversations"


def test_the_files_of_a_day_are_in_a_folder(tmp_path: Path) -> None:
    audio = tmp_path / "grabaciones de hoy"
    found = files_of_day(open_storage(str(audio)), date(2026, 3, 10))
    assert isinstance(found, dg.PathMetadataValue)
    assert Path(str(found.value)) == audio / "2026" / "03" / "10"


def test_or_in_a_bucket_that_the_console_shows() -> None:
    pytest.importorskip("google.cloud.storage")
    found = files_of_day(open_storage("gs://calls/audio of 2026"), date(2026, 3, 10))
    assert found == dg.MetadataValue.url(
        "https://console.cloud.google.com/storage/browser/calls/audio%20of%202026/2026/03/10"
    )


def test_or_where_its_uri_says() -> None:
    class Elsewhere(FolderStorage):
        def uri(self, key: str) -> str:
            return f"s3://calls/{key}"

    found = files_of_day(Elsewhere(Path("audio")), date(2026, 3, 10))
    assert found == dg.MetadataValue.text("s3://calls/2026/03/10")
