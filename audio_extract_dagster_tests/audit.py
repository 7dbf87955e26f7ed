"""Asks the advisory service whether the locked packages have known vulnerabilities: `make audit`.

A vulnerability fails. A service that cannot be asked does not: it says nothing about the packages,
and the checks must not need the network.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import click

from audio_extract_dagster_tests.documents import ROOT

# Known, looked at, and no risk here; each with the reason.
ACCEPTED: dict[str, str] = {}

_SECONDS = 300


def main() -> int:
    """The exit code."""
    command = ["pip_audit", "--disable-pip", "--require-hashes", "--format", "json", "-r"]
    try:
        asked = subprocess.run(
            [sys.executable, "-m", *command, str(ROOT / "requirements.lock")],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        report = json.loads(asked.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        # Without a report there was no answer.
        click.echo(f"Warning: the advisory service could not be asked ({type(error).__name__}).")
        return 0
    found = list(vulnerabilities(report))
    for line in found:
        click.echo(line)
    click.echo(f"{len(report['dependencies'])} packages, {len(found)} known vulnerabilities.")
    return 1 if found else 0


def vulnerabilities(report: dict[str, Any]) -> Iterator[str]:
    """A line for each that is not accepted."""
    for package in report["dependencies"]:
        for each in package.get("vulns", ()):
            if each["id"] not in ACCEPTED:
                fixed = ", ".join(each["fix_versions"]) or "nothing yet"
                yield f"{package['name']} {package['version']}: {each['id']}, fixed in {fixed}"


if __name__ == "__main__":
    sys.exit(main())
