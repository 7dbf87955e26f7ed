"""A child ends with the process that started it, however that one ends."""

from __future__ import annotations

import select
import signal
import subprocess
import sys

import pytest

_PARENT = """
import signal, subprocess, sys
from audio_extract_dagster.embedded.children import ends_with_us

signal.signal(signal.SIGINT, signal.Handlers(int(sys.argv[1])))
child = subprocess.Popen(["sleep", "60"], **ends_with_us())
print("started", flush=True)
child.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
@pytest.mark.parametrize("interrupt", [signal.SIG_DFL, signal.SIG_IGN])
def test_a_child_of_a_killed_process_ends_too(interrupt: signal.Handlers) -> None:
    # A shell has what it starts in the background ignore interrupts, and children inherit that.
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(interrupt.value)], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"
        parent.kill()
        # The child holds the other end of the pipe as long as it lives.
        assert select.select([parent.stdout], [], [], 20)[0], "the child lives on"
        assert parent.stdout.read() == b""
