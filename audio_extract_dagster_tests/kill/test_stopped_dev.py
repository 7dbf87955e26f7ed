"""`audio-extract dev`, stopped as a terminal does it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from audio_extract_dagster_tests.cli.command_line import CommandLine, Finished, finish
from audio_extract_dagster_tests.defs.surroundings import bare_environment
from audio_extract_dagster_tests.embedded.waiting import answers, eventually


@pytest.mark.skipif(sys.platform == "win32", reason="there the console interrupts each process")
def test_ctrl_c_stops_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    nowhere = CommandLine(tmp_path, bare_environment())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    dev = replace(nowhere, own_group=True).start("dev", "--port", str(port))
    said: list[Finished] = []
    # Reads what it says, until the last process that could say something has ended.
    reader = threading.Thread(target=lambda: said.append(finish(dev)))
    reader.start()
    try:
        assert eventually(lambda: answers(port) or dev.poll() is not None, 120)
        os.killpg(dev.pid, signal.SIGINT)  # as a terminal does
    finally:
        reader.join()
    (stopped,) = said
    assert stopped.code == 0, stopped.errors
    assert "Aborted!" not in stopped.errors
