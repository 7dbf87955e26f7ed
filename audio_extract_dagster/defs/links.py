"""Links from an asset to what it tells of: the code that makes it and the files of a day.

The link to a run is `Settings.run_url`; where a table is stands in `table_metadata.py`.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

import dagster as dg

import audio_extract_dagster
from audio_extract_dagster.extraction.accounting import verdict
from audio_extract_dagster.extraction.agent_calls import agent_call_rows
from audio_extract_dagster.extraction.collection import collect_audio
from audio_extract_dagster.extraction.collection.planning import BatchPlanner
from audio_extract_dagster.extraction.listing import DayListing
from audio_extract_dagster.extraction.outcomes import settle
from audio_extract_dagster.extraction.report import report_of
from audio_extract_dagster.storage import AudioStorage, day_prefix

_PACKAGE = Path(audio_extract_dagster.__file__).parent
# Where the thinking is: an asset's own function only calls it.
_BUSINESS: Mapping[str, Sequence[Callable[..., Any]]] = {
    "conversations": [DayListing.as_day_rows],
    "agent_calls": [agent_call_rows],
    "audio_batches": [BatchPlanner.next_calls, collect_audio],
    "audio_records": [collect_audio, settle],
    "daily_report": [report_of, verdict],
}
_BUCKETS = "https://console.cloud.google.com/storage/browser"


def linked_to_code(assets: dg.AssetsDefinition, base_url: str | None) -> dg.AssetsDefinition:
    """The same assets, each with links to its own function and to the business that it calls.

    Below `base_url` (`SOURCE_CODE_URL`) they are web links; without it they name the files as they
    are installed on the machine that runs them.
    """
    own = assets.op.compute_fn.decorated_fn  # type: ignore[union-attr]  # never a plain function

    def linked(spec: dg.AssetSpec) -> dg.AssetSpec:
        business = _BUSINESS[spec.key.to_user_string()]
        places = [_reference(code, base_url) for code in (own, *business)]
        references = dg.CodeReferencesMetadataValue(code_references=places)
        return spec.merge_attributes(metadata={"dagster/code_references": references})

    with warnings.catch_warnings():
        # Dagster calls such references beta; the versions are pinned.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return assets.map_asset_specs(linked)


def files_of_day(storage: AudioStorage, day: date) -> dg.MetadataValue[Any]:
    """Where the audio of a day is: a page of the cloud console, a folder here, or its URI."""
    place = urlsplit(storage.uri(day_prefix(day).rstrip("/")))
    if place.scheme == "gs":
        return dg.MetadataValue.url(f"{_BUCKETS}/{place.netloc}{quote(place.path)}")
    if place.scheme == "file":
        return dg.MetadataValue.path(url2pathname(place.path))
    return dg.MetadataValue.text(place.geturl())


def _reference(
    code: Callable[..., Any], base: str | None
) -> dg.LocalFileCodeReference | dg.UrlCodeReference:
    file, line = Path(code.__code__.co_filename), code.__code__.co_firstlineno
    module = file.relative_to(_PACKAGE.parent).as_posix()
    label = code.__qualname__.rpartition("<locals>.")[2]
    if base is None:
        return dg.LocalFileCodeReference(file_path=str(file), line_number=line, label=label)
    return dg.UrlCodeReference(url=f"{base.rstrip('/')}/{module}#L{line}", label=label)
