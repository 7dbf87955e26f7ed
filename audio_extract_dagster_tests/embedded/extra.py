"""Tests that need the extra `demo`, which brings the embedded PostgreSQL."""

from __future__ import annotations

import pytest

from audio_extract_dagster.embedded.cluster import EmbeddedPostgresMissing, wheel_programs


def _is_missing() -> bool:
    try:
        wheel_programs()
    except EmbeddedPostgresMissing:
        return True
    return False


needs_extra_demo = pytest.mark.skipif(_is_missing(), reason="the extra [demo] is not installed")
