"""Real conversations, replayed: the main job on input that nobody here wrote."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from audio_extract_dagster.simulator import Replay, Simulator
from audio_extract_dagster_tests.cli.command_line import CommandLine
from audio_extract_dagster_tests.defs.location import Row, rows
from audio_extract_dagster_tests.postgres import Database

_SAMPLES = Path(__file__).parents[3] / "shared" / "samples"

pytestmark = pytest.mark.skipif(
    not _SAMPLES.is_dir(), reason="the folder ../shared/samples is not here"
)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """An org with what is in the folder."""
    with Simulator(Replay(_SAMPLES)) as running:
        running.switches.batch_seconds = 0.0
        yield running


def _report(database: Database, day: str) -> Row:
    return next(
        row for row in rows(database.engine, "daily_report") if str(row["call_date"]) == day
    )


def test_the_days_of_the_samples(
    terminal: CommandLine, database: Database, simulator: Simulator
) -> None:
    friday = terminal.run("run", "--date", "2024-02-16")
    monday = terminal.run("run", "--date", "2024-02-05")
    sunday = terminal.run("run", "--date", "2024-02-11")

    assert (friday.code, monday.code, sunday.code) == (0, 0, 2)
    counts = ("conversations", "agent_calls", "excluded")
    report = _report(database, "2024-02-16")
    assert [report[name] for name in counts] == [8, 7, 1]
    assert [_report(database, "2024-02-05")[name] for name in counts] == [1, 0, 1]
    assert "it is a Sunday" in sunday.errors

    stored = [row for row in rows(database.engine, "audio_records") if row["status"] == "STORED"]
    assert len(stored) == report["stored"] > 0
    for row in stored:
        conversation = simulator.source.find(row["conversation_id"])
        assert conversation is not None
        (recording,) = conversation.recordings
        served = simulator.source.content(recording, 0)
        assert row["sha256"] == sha256(served).hexdigest()
        name = f"{row['conversation_id']}/{recording.id}.wav"
        file = terminal.folder / "data" / "audio" / "2024" / "02" / "16" / name
        assert file.read_bytes() == served
