"""What the documents say is compared with the code, so that neither can change alone."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import dagster as dg
import pytest
import requests
import yaml
from dotenv import dotenv_values

from audio_extract_dagster import cli
from audio_extract_dagster.checks import ALL_CHECKS
from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.jobs import JOB_NAME
from audio_extract_dagster.model import BatchFailure, Reason
from audio_extract_dagster.settings import GENESYS, POSTGRES, Settings, read_settings
from audio_extract_dagster.simulator import Simulator, World, parse_switch
from audio_extract_dagster.simulator.faults import KINDS
from audio_extract_dagster_tests.defs.location import dagster_asks_old_pydantic
from audio_extract_dagster_tests.documents import ROOT, code, fences, names, prose, read, table

README, README_ES = ROOT / "README.md", ROOT / "docs" / "README.es.md"
DOCUMENTS = [
    README,
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
REQUIRED = {*POSTGRES, *GENESYS}
EXCLUSIONS = {"no_agent", "agent_without_voice"}

every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
each_readme = pytest.mark.parametrize("path", [README, README_ES], ids=lambda path: path.name)


def default(name: str) -> str:
    """The default of a setting as somebody would write it; empty if there is none."""
    value = Settings.model_fields[name.lower()].default
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def commands() -> dict[str, click.Command]:
    group = cli.cli
    assert isinstance(group, click.Group)
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


@each_readme
def test_settings_table_is_that_of_the_code(path: Path) -> None:
    rows = table(path.read_text(encoding="utf-8"), "variable")
    shown = {row[0].strip("`"): row[1] for row in rows}
    required = shown["PG_USER"]
    assert len(shown) == len(rows)
    assert set(shown) == {name.upper() for name in Settings.model_fields}
    for name, text in shown.items():
        if name in REQUIRED:
            assert text == required, name
        elif default(name):
            assert text == f"`{default(name)}`", name
        else:
            # In words, such as "none".
            assert "`" not in text, name
            assert text != required, name


def test_env_example_has_every_setting_with_its_default() -> None:
    lines = read(".env.example").splitlines()
    settings = [line[1:].split("=", 1) for line in lines if re.match(r"#[A-Z_]+=", line)]
    expected = {name.upper(): default(name) for name in Settings.model_fields}
    assert sorted(tuple(setting) for setting in settings) == sorted(expected.items())
    for line, before in zip(lines[1:], lines, strict=False):
        if re.match(r"#[A-Z_]+=", line):
            assert before.startswith("# "), f"no comment above {line}"


def test_env_example_is_valid_with_nothing_and_with_everything_uncommented(tmp_path: Path) -> None:
    assert dotenv_values(ROOT / ".env.example") == {}
    file = tmp_path / ".env"
    file.write_text(re.sub(r"^#(?=[A-Z_]+=)", "", read(".env.example"), flags=re.MULTILINE))
    environment = {name: value or "" for name, value in dotenv_values(file).items()}
    assert read_settings(environment) == Settings()


@each_readme
def test_command_table_is_that_of_the_code(path: Path) -> None:
    listed = names(path.read_text(encoding="utf-8"), r"(?:command|comando)")
    shown = [command.split()[1] for command in listed if command.startswith("audio-extract ")]
    assert sorted(shown) == sorted(commands())


@every_document
def test_commands_mentioned_exist(path: Path) -> None:
    known = commands()
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    for text in code(path.read_text(encoding="utf-8")):
        for name in re.findall(r"\baudio-extract ([a-z]+)(?![\w-])", text):
            assert name in known, text
        for name in re.findall(r"\bmake ([a-z]+)", text):
            assert name in targets, text


@every_document
def test_command_lines_are_understood(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-recordings").mkdir()
    known = commands()
    for fence in fences(path.read_text(encoding="utf-8")):
        for line in fence.lines:
            called = re.search(r"(?:^|/| )audio-extract ([a-z]+)(?: (.*))?$", line)
            if called:
                arguments = shlex.split(called[2] or "")
                known[called[1]].make_context(called[1], arguments)


@every_document
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path.read_text(encoding="utf-8"))):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        linked = (path.parent / file).resolve() if file else path
        assert linked.is_file(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", prose(linked.read_text("utf-8")), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings]
            assert anchor in slugs, target


def test_both_readmes_are_built_alike() -> None:
    def shape(text: str) -> list[str]:
        """Levels of headings, rows of tables, items of lists and blocks, in their order."""
        kinds = re.findall(r"^(#+ |\||\d\. |- |```\w+)", text, re.MULTILINE)
        return [re.sub(r"\d\. ", "item ", kind) for kind in kinds]

    assert shape(README.read_text("utf-8")) == shape(README_ES.read_text("utf-8"))
    settings = [names(path.read_text("utf-8"), "variable") for path in (README, README_ES)]
    assert settings[0] == settings[1]


def test_operations_explains_every_reason() -> None:
    rows = table(read("docs/operations.md"), "reason")
    shown = {row[0].strip("`"): row[1].strip("`") for row in rows}
    assert shown == {reason.code: reason.status.value for reason in Reason} | dict.fromkeys(
        EXCLUSIONS, "excluded"
    )


def test_operations_explains_why_batches_fail() -> None:
    operations = read("docs/operations.md")
    assert names(operations, "error") == [failure.value for failure in BatchFailure]


@dagster_asks_old_pydantic
def test_operations_names_every_sensor_and_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where no .env is read
    operations = read("docs/operations.md")
    sensors = [sensor.name for sensor in definitions().sensors or ()]
    assert sorted(names(operations, "sensor")) == sorted(sensors)
    checks = [(row[0].strip("`"), row[1].strip("`")) for row in table(operations, "check")]
    assert checks == [(check.name, check.asset) for check in ALL_CHECKS]
    warn = [row[0].strip("`") for row in table(operations, "check") if row[2].startswith("warns")]
    assert warn == [check.name for check in ALL_CHECKS if check.warns]


@dagster_asks_old_pydantic
def test_run_configuration_in_operations_is_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    job = definitions().resolve_job_def(JOB_NAME)
    shown = [f for f in fences(read("docs/operations.md")) if f.language == "yaml"]
    assert shown
    for fence in shown:
        assert dg.validate_run_config(job, yaml.safe_load(fence.text))


def test_imports_are_those_that_architecture_allows() -> None:
    rows = table(read("docs/architecture.md"), "part")
    parts = [row[0].strip("`/").removesuffix(".py") for row in rows]
    may_import = (set(re.findall(r"`(\w+)`", row[2])) for row in rows)
    allowed = dict(zip(parts, may_import, strict=True)) | {"cli": set(parts)}
    package = ROOT / "audio_extract_dagster"
    present = {
        p.stem for p in package.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    assert set(parts) == present - {"__init__"}
    for file in package.rglob("*.py"):
        part = file.relative_to(package).parts[0].removesuffix(".py")
        if part != "__init__":
            used = set(_imports(file)) - {part}
            assert used <= allowed[part], f"{file.relative_to(ROOT)} imports {used - allowed[part]}"


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "audio_extract_dagster":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            package, _, rest = node.module.partition(".")
            if package == "audio_extract_dagster":
                yield rest.partition(".")[0]


def test_decisions_are_numbered_and_listed() -> None:
    index = read("docs/decisions/README.md")
    for number, path in enumerate(DECISIONS, 1):
        title, *headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
        assert path.name.startswith(f"{number:04d}-")
        assert headings == ["Context", "Decision", "Consequence"]
        assert f"{number}. [{title.partition('. ')[2]}]({path.name})" in index
        assert title.startswith(f"{number}. ")


def test_switches_of_the_simulator_are_understood() -> None:
    text = read("docs/simulator.md")
    shown = names(text, "switch") + re.findall(r"--set (\S+)", text)
    assert len(shown) > len(names(text, "switch"))
    for switch in shown:
        parse_switch(switch)


def test_requests_to_the_simulator_work_as_written() -> None:
    text = read("docs/simulator.md")
    assert set(names(text, "kind")) == KINDS
    with Simulator(World(calls_per_day=3)) as simulator:
        calls = [line for fence in fences(text) for line in fence.lines if line.startswith("curl ")]
        for call in calls:
            words = shlex.split(call)
            method, path = words[words.index("-X") + 1], words[-1].partition(":8080")[2]
            body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
            reply = requests.request(method, simulator.url + path, json=body, timeout=10)
            assert reply.ok, f"{call}: {reply.text}"
        for row in table(text, "path"):
            method, path = row[0].strip("`").split()
            reply = requests.request(method, simulator.url + path, timeout=10)
            assert reply.ok, f"{row[0]}: {reply.text}"


def test_the_image_is_built_from_what_is_there() -> None:
    ignored = read(".dockerignore").splitlines()
    [named] = re.findall(r'"\.\[([\w,-]+)\]"', read("Dockerfile"))
    extras = named.split(",")
    assert all(
        re.search(rf"^{extra} = \[", read("pyproject.toml"), re.MULTILINE) for extra in extras
    )
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", read("Dockerfile"), re.MULTILINE)
    for name in " ".join(copied).split():
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored
    for module in re.findall(r'"-m", "([\w.]+)"', read("Dockerfile")):
        import_module(module)
