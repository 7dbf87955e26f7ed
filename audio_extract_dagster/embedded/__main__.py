"""`python -m audio_extract_dagster.embedded FOLDER`: the supervisor of that data folder."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from audio_extract_dagster.embedded.control import ControlFolder
from audio_extract_dagster.embedded.supervisor import Supervisor

if __name__ == "__main__":
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    Supervisor(ControlFolder(Path(sys.argv[1]))).run()
