"""Every knob of the simulator's behaviour, typed, with the default that the real platform shows.

A switch for what the documentation of the API leaves open has a value for each reading. They may be
changed at any time, in code, with `--set name=value` or over HTTP (`/simulator/switches`); what is
asked next sees the new value. One-off misbehaviour is a `Fault`; what the org contains is a
`World`.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, get_type_hints

import msgspec

from audio_extract_dagster.errors import Never


class InvalidSwitch(Never):
    """There is no such switch, or its value is of the wrong kind."""


@dataclasses.dataclass(slots=True)
class Switches:
    """Durations are seconds of the simulator's clock unless the name says otherwise."""

    # Login and limits
    token_seconds: int = 86_399
    expiry_code: Literal["credentials.expired", "bad.credentials"] = "credentials.expired"
    rate_limit: int = 300  # requests per token in a fixed minute; the next one gets 429
    retry_after: Literal["seconds", "http-date", "absent"] = "seconds"
    retry_after_seconds: float | None = None  # None: until the window starts again
    missing_permissions: tuple[str, ...] = ()  # operations that answer 403

    # Conversation details query
    max_interval_days: int = 31
    max_page_size: int = 100  # asking for more is a 400
    served_page_size: int | None = None  # the server uses smaller pages than asked for
    paging_limit: int = 100_000
    whole_utc_day: bool = False  # also what ended before the interval, on its first UTC day
    empty_conversations: Literal["missing", "null", "list"] = "missing"
    empty_total_hits: Literal["zero", "missing"] = "zero"
    paging_anomaly: Literal["none", "repeat", "skip"] = "none"  # the items move between pages
    anomaly_passes: int = 1  # listings of an interval that are hit by the anomaly or the drift
    total_hits_offset: int = 0  # what the count is off by, always
    total_hits_drift: int = 0  # and further off by this much with each page
    future_fields: bool = False  # fields, participants and enum values unknown today

    # Recordings
    metadata_none: Literal["empty", "not_found"] = "empty"
    metadata_audio_times: bool = False  # startTime and endTime on audio
    late_audio_seconds: float | None = 3600.0  # UPLOADING and RESTORING end so long after the first
    # question for them; None: only when told to (`POST /simulator/finish-uploads`)
    open_call_recordings: bool = False  # recordings of calls without an end can be had

    # Batches
    max_batch_items: int = 100
    batch_seconds: float = 1.0
    batch_polls: int | None = None  # complete at the n-th poll, whatever the clock says
    batch_completes: bool = True
    batch_status_field: bool = True
    batch_expected_rises: bool = False
    batch_shuffles: bool = True
    batch_retention_seconds: float | None = None  # afterwards 404
    empty_batch: Literal["completed", "never"] = "completed"  # never: 0 of 0 for ever
    other_client: Literal["not_found", "forbidden"] = "not_found"
    unknown_conversation: Literal["error", "bad_request"] = "error"
    no_recording: Literal["nothing", "error"] = "nothing"
    archived: Literal["error", "file"] = "error"
    uploading: Literal["nothing", "error"] = "nothing"
    sensitive_left_out: bool = False
    withheld_every: int = 0  # every n-th available result is neither given nor counted
    bare_results: int = 0  # so many results of a batch have neither a link nor an error
    unasked_results: int = 0  # so many results belong to conversations nobody asked for

    # Links and files
    link_minutes: float = 60.0  # `recordingBatchDownloadUrlTtl` of the org
    link_seconds: float | None = None  # the real life of a link; None: as the setting says
    links_resigned: bool = False  # each look at a job signs its links anew
    audio_bytes: int | None = None  # each file a WAV file of this size (even), for benchmarks
    download_latency_ms: float = 0.0

    def set(self, name: str, value: object) -> None:
        """Set one switch from a JSON value or a text such as a command line has."""
        setattr(self, name, _checked(name, value))

    def update(self, values: dict[str, Any]) -> None:
        """Set several: all of them, or none when one is invalid."""
        for name, value in {name: _checked(name, value) for name, value in values.items()}.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def parse_switch(text: str) -> tuple[str, Any]:
    """`name=value` as a switch's name and typed value; lists by commas, `null` for none."""
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidSwitch(f"{text!r} is not of the form name=value")
    return name.strip(), _checked(name.strip(), value.strip())


def _checked(name: str, value: object) -> Any:
    kind = get_type_hints(Switches).get(name)
    if kind is None:
        known = ", ".join(field.name for field in dataclasses.fields(Switches))
        raise InvalidSwitch(f"the simulator has no switch {name!r}; it has: {known}")
    if isinstance(value, str) and kind == tuple[str, ...]:
        value = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidSwitch(f"switch {name!r}: {error}") from None
