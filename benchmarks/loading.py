"""How long the code location takes to load, and what comes into memory before it is needed.

Loaded as Dagster loads it (`dagster definitions validate`), each time in a new process, against a
project with nothing in it; and the module alone, by a bare `import`.
"""

# ruff: noqa: S603 - the commands are our own
from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

from benchmarks.measure import Candidate, Finding, compare, main, timed

_HEAVY = ("pandas", "numpy", "pyarrow", "matplotlib", "google.cloud", "apprise")
_OURS = "audio_extract_dagster.definitions"
_EMPTY = "benchmarks.empty_project"


def measure(rounds: int) -> list[Finding]:
    loaded = compare(
        "an empty Dagster project",
        partial(_validate, _EMPTY),
        [Candidate("loading the code location", partial(_validate, _OURS), 1.3)],
        rounds,
    )
    imported = compare(
        "import of an empty Dagster project",
        partial(_python, f"import {_EMPTY}"),
        [
            Candidate(
                "import of the package", partial(_python, "import audio_extract_dagster"), 1.3
            ),
            Candidate("import of its definitions", partial(_python, f"import {_OURS}")),
        ],
        rounds,
    )
    heavy = Finding(
        f"modules loaded by then out of {', '.join(_HEAVY)}", "none", [_heavy()], 0, "modules"
    )
    return [*loaded, *imported, heavy]


def _validate(module: str) -> float:
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-m", module]
    return timed(partial(subprocess.run, command, check=True, capture_output=True, env=_bare()))


def _python(program: str) -> float:
    command = [sys.executable, "-c", program]
    return timed(partial(subprocess.run, command, check=True, env=_bare()))


def _heavy() -> float:
    program = f"import sys, {_OURS} as ours; ours.definitions(); print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=_bare()
    )
    loaded = set(told.stdout.split())
    return float(sum(name in loaded for name in _HEAVY))


def _bare() -> dict[str, str]:
    return {"PATH": os.environ["PATH"]}


if __name__ == "__main__":
    main(measure)
