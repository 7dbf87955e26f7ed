"""What a data engineer sees: the real UI in a real browser.

`SCREENSHOTS=docs/screenshots pytest audio_extract_dagster_tests/e2e` keeps a picture of each page
in that folder; so were made those in the documents.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from audio_extract_dagster_tests.e2e.running_ui import RunningUi, running_ui
from audio_extract_dagster_tests.embedded.extra import needs_extra_demo

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

from playwright.sync_api import Browser, FloatRect, Page, sync_playwright

from audio_extract_dagster_tests.e2e import pages

_BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")

# The backfill works while the other pages are looked at.
_VISITS: tuple[Callable[[Page, RunningUi], FloatRect | None], ...] = (
    pages.mail,
    pages.closed_counts,
    pages.launch_backfill,
    pages.links_to_code,
    pages.automation,
    pages.dry_run,
    pages.backfill,
    pages.lineage,
    pages.partitions,
    pages.run_of_the_backfill,
    pages.report,
    pages.failing_check,
)


pytestmark = [
    pytest.mark.skipif(_BROWSER is None, reason="no Chromium on the PATH (apt install chromium)"),
    needs_extra_demo,
]


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as driver:
        # Chromium refuses its sandbox to root, as which containers run tests.
        chromium = driver.chromium.launch(executable_path=_BROWSER, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def test_the_ui_shows_the_demo_and_fills_three_days(browser: Browser, tmp_path: Path) -> None:
    # One test, because the UI takes its time to start.
    pictures = Path(os.environ["SCREENSHOTS"]) if "SCREENSHOTS" in os.environ else None
    with running_ui(tmp_path) as ui:
        page = browser.new_page(base_url=ui.url)
        page.set_default_timeout(90_000)
        asked: set[str] = set()
        page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        for visit in _VISITS:
            page.set_viewport_size({"width": 1440, "height": 860})
            part = visit(page, ui)
            if pictures is not None:
                pages.keep_picture(page, ui, pictures / f"{visit.__name__}.png", part)
        # The pages load nothing from anywhere else.
        assert {host for host in asked if host} == {urlsplit(ui.url).netloc}
        page.close()
