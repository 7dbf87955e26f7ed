"""A child ends with the process that started it, however that one ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PARENT = """
import subprocess, sys
from audio_extract_dagster.embedded.children import ends_with_us

child = subprocess.Popen(["sleep", "600"], **ends_with_us())
print("started", flush=True)
child.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_child_of_a_killed_process_ends_too() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"
        parent.kill()
        # The child holds the other end of the pipe as long as it lives.
        assert parent.stdout.read() == b""
