"""What a person at a terminal sees while a day runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading

import pytest

from audio_extract_dagster.simulator import Fault, Simulator
from audio_extract_dagster_tests.cli.command_line import CommandLine, program

DAY = "2024-02-16"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_the_stage_and_the_calls_of_a_day_are_followed(
    terminal: CommandLine, simulator: Simulator
) -> None:
    shown = threading.Event()

    def hold(answer: object) -> object:
        assert shown.wait(60), "the stage was not shown"
        return answer

    simulator.faults.add(Fault("batch_poll", "mutate", change=hold))
    screen, end = os.openpty()
    with subprocess.Popen(
        [program(), "run", "--date", DAY],
        cwd=terminal.folder,
        env={**terminal.environment, "TERM": "xterm", "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=end,
    ) as run:
        os.close(end)
        seen = b""
        while piece := _read(screen):
            seen += piece
            if f"{DAY}: audio".encode() in seen:
                shown.set()
        assert run.stdout is not None
        output = run.stdout.read()
    os.close(screen)

    assert run.returncode == 0
    assert shown.is_set()
    assert re.search(rb"\b0/[1-9]\d*", seen)  # calls with an answer, of all agent calls
    assert DAY.encode() in output


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 4096)
    except OSError:  # nobody writes to it any more
        return b""
