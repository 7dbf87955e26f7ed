"""`audio-extract dev` as a process; what it shows is tested in a browser (`e2e/`)."""

from __future__ import annotations

import socket

from audio_extract_dagster_tests.cli.command_line import CommandLine


def test_a_port_that_is_taken_is_told_before_anything_starts(nowhere: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        failed = nowhere.run("dev", "--port", str(port))

    assert failed.code == 1
    assert failed.errors.startswith(
        f"Error: 127.0.0.1:{port} cannot be listened on (Address already in use)."
    )
    assert list(nowhere.folder.iterdir()) == []
