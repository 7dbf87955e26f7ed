"""The rules of the structure. Who may import whom is tested by the table in the documents."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from audio_extract_dagster_tests.documents import ROOT

PACKAGE = ROOT / "audio_extract_dagster"
FILES = sorted(PACKAGE.rglob("*.py"))

# Dagster's own folder, what it loads, and the command that runs a day in its own process.
MAY_IMPORT_DAGSTER = ("defs/", "definitions.py", "cli/execution.py")
# Beside the tables' own folder and the checks, each for one small thing of its own.
MAY_SAY_SQL = (
    "database/",
    "checks/",
    "notify/outbox.py",  # its table
    "defs/table_metadata.py",  # the preview of a table
    "cli/instance.py",  # Dagster's schema
    "embedded/postgres.py",  # the database of the embedded server
)
STATEMENTS = {"text", "select", "insert", "update", "delete", "func"}
MOST_LINES = 255


def imports(file: Path) -> Iterator[tuple[str, str]]:
    """Module and name of everything that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def place(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def test_dagster_is_imported_where_it_belongs() -> None:
    users = {
        place(file)
        for file in FILES
        for module, _ in imports(file)
        if module.partition(".")[0] in ("dagster", "dagster_postgres")
    }
    assert [user for user in sorted(users) if not user.startswith(MAY_IMPORT_DAGSTER)] == []


def test_sql_is_said_where_it_belongs() -> None:
    speakers = {
        place(file)
        for file in FILES
        for module, name in imports(file)
        if module.partition(".")[0] == "sqlalchemy" and name in STATEMENTS
    }
    assert [each for each in sorted(speakers) if not each.startswith(MAY_SAY_SQL)] == []


def test_a_file_can_be_read_at_once() -> None:
    lines = {place(file): len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


# What takes longer to import than all of ours.
HEAVY = {"pandas", "numpy", "pyarrow", "matplotlib", "apprise", "google.cloud.storage"}
# As Dagster's code server does it.
LOADING = """
import sys
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._grpc.server import LoadedRepositories
before = set(sys.modules)
origin = LoadableTargetOrigin(
    executable_path=sys.executable, module_name="audio_extract_dagster.definitions"
)
loaded = LoadedRepositories(
    origin, entry_point=[], container_image=None, container_context=None
)
(location,) = loaded.definitions_by_name.values()
assert location.get_top_level_resources()
print(*sys.modules.keys() - before)
"""


def test_what_is_heavy_is_imported_when_it_is_needed(tmp_path: Path) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", LOADING],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert loaded.returncode == 0, loaded.stderr
    assert HEAVY & set(loaded.stdout.split()) == set()
