"""Children that must not outlive us, not even when we are killed; only Linux can say so."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Any


def ends_with_us() -> dict[str, Any]:
    """Options for `subprocess.Popen`: the child gets SIGINT when the thread that starts it ends.

    Nothing on systems other than Linux. The source is prctl(2), PR_SET_PDEATHSIG.
    """
    if sys.platform != "linux":
        return {}
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask() -> None:
        # What a shell starts in the background ignores interrupts, and so would its children.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        libc.prctl(1, int(signal.SIGINT))
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)

    return {"preexec_fn": ask}
