"""`audio-extract dev` as a process; what it shows is tested in a browser (`e2e/`)."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from dataclasses import replace

import pytest

from audio_extract_dagster_tests.cli.command_line import CommandLine, Finished, finish
from audio_extract_dagster_tests.embedded.waiting import answers, eventually


def test_a_port_that_is_taken_is_told_before_anything_starts(nowhere: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        failed = nowhere.run("dev", "--port", str(port))

    assert failed.code == 1
    assert failed.errors.startswith(
        f"Error: 127.0.0.1:{port} cannot be listened on (Address already in use)."
    )
    assert list(nowhere.folder.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there the console interrupts each process")
def test_ctrl_c_stops_it_and_leaves_nothing_behind(nowhere: CommandLine) -> None:
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
