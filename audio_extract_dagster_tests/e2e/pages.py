"""The pages of the UI that people work with: what each must show, and what is clicked there.

Found by texts and roles, as a reader finds it: the names of the UI's classes change with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import FloatRect, Page, expect

from audio_extract_dagster.settings import Settings
from audio_extract_dagster_tests.defs.location import ASSETS
from audio_extract_dagster_tests.e2e.running_ui import RunningUi, wait_until

_EDGES = 7  # conversations, agent calls, batches and records lead to the report, and three within
_AUTOMATIONS = (
    "daily_extraction",
    "notify_success",
    "notify_failure",
    "notify_canceled",
    "backfill_digest",
    "missed_day",
    "outbox_delivery",
    "late_audio",
    "freshness",
    "vanished_runs",
)
_COLORS = 128
_MARGIN = 16
_RENAME = """([old, now]) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode())
    texts.currentNode.nodeValue = texts.currentNode.nodeValue.replaceAll(old, now)
}"""


def days_of_the_backfill(ui: RunningUi) -> list[date]:
    """The demo's day, which is there already, and the two before it that are not."""
    calendar, last = Settings().business_days, date.fromisoformat(ui.day)
    return calendar.between(last - timedelta(days=7), last)[-3:]


def closed_counts(page: Page, ui: RunningUi) -> None:
    """The numbers are those that the demo told, although it ran in another process."""
    page.goto(f"/assets/audio_records?view=partitions&partition={ui.day}")
    for status in ("stored", "pending", "missing", "failed"):
        row = page.get_by_role("row").filter(has=page.get_by_text(status, exact=True))
        row.get_by_text(ui.count(status), exact=True).wait_for()


def launch_backfill(page: Page, ui: RunningUi) -> None:
    """Three days by clicks. Before that a file is lost, which a check of its day must tell."""
    next(path for path in ui.audio_of(ui.day) if path.is_file()).unlink()
    first, _, last = days_of_the_backfill(ui)
    page.goto("/locations/audio_extract/jobs/extract_day")
    page.get_by_text("Dry run: the job plan_day").wait_for()
    page.get_by_role("button", name="Materialize all").click()
    dialogue = page.get_by_role("dialog")
    dialogue.get_by_placeholder("No matching partitions").fill(f"[{first}...{last}]")
    page.keyboard.press("Enter")
    dialogue.get_by_text("3 partitions", exact=True).wait_for()
    dialogue.get_by_role("button", name=re.compile("Launch.*backfill")).click()
    page.get_by_text("Created backfill").wait_for()


def lineage(page: Page, ui: RunningUi) -> FloatRect:
    """The five assets, each checked, and what leads to what; the graph alone makes its picture."""
    # Wide enough for the nodes to be drawn with what is known of them.
    page.set_viewport_size({"width": 2200, "height": 1000})
    page.goto("/asset-groups")
    for group in ("genesys_cloud", "audio", "reporting"):
        page.locator("svg").get_by_text(group, exact=True).click()
        page.wait_for_url(re.compile(group))
    page.reload()  # the view fits what is open

    for asset in ASSETS:
        page.locator("svg").get_by_text(asset, exact=True).wait_for()
    page.locator("svg").get_by_text("Passed").nth(3).wait_for()
    expect(page.locator("svg path[marker-end]")).to_have_count(_EDGES)
    return _around([node.bounding_box() for node in page.locator("svg foreignObject").all()])


def mail(page: Page, ui: RunningUi) -> None:
    """The message about the demo's day, as its gateway received it."""
    page.set_viewport_size({"width": 760, "height": 1000})
    [message] = (ui.folder / "data" / "messages").glob("*.html")
    page.goto(message.as_uri())
    row = page.locator("tr").filter(has=page.get_by_text("an agent answered or was rung")).last
    row.get_by_text(ui.count("agent calls"), exact=True).wait_for()


def links_to_code(page: Page, ui: RunningUi) -> None:
    """An asset names its code, its table's columns and who is asked about it."""
    page.goto("/assets/conversations?view=overview")
    for link in ("conversations", "DayListing.as_day_rows"):
        page.get_by_role("link", name=re.compile(rf"Open {re.escape(link)}")).wait_for()
    page.get_by_text("operations", exact=True).wait_for()
    page.get_by_text("The conversation's id at Genesys").wait_for()


def automation(page: Page, ui: RunningUi) -> None:
    """The schedule and all sensors."""
    page.goto("/automation")
    for name in _AUTOMATIONS:
        page.get_by_text(name, exact=True).wait_for()
    page.get_by_text(re.compile("06:00 AM .*Monday through Saturday")).wait_for()


def dry_run(page: Page, ui: RunningUi) -> None:
    """The job that tells the price, as such."""
    page.goto("/locations/audio_extract/jobs/plan_day")
    page.get_by_text("Dry run of extract_day").wait_for()


def backfill(page: Page, ui: RunningUi) -> None:
    """It ends green, with a run for each of the three days."""
    page.goto("/runs?view=backfills")
    page.get_by_text("3 partitions", exact=True).wait_for()
    page.get_by_text("Success", exact=True).wait_for(timeout=240_000)


def partitions(page: Page, ui: RunningUi) -> None:
    """Every business day, three of them done, and no Sunday."""
    days = Settings().business_days
    every = days.between(days.first, date.fromisoformat(ui.day))
    page.goto("/assets/conversations?view=partitions")

    page.get_by_text(f"{len(every)} Partitions Selected").wait_for()
    page.get_by_text("Materialized (3)").wait_for()
    page.get_by_text(ui.day, exact=True).first.wait_for()
    texts = page.get_by_text(re.compile(r"^\d{4}-\d\d-\d\d$")).all_inner_texts()
    shown = [date.fromisoformat(text) for text in texts]
    assert len(shown) > 14
    assert 6 not in {day.weekday() for day in shown}


def run_of_the_backfill(page: Page, ui: RunningUi) -> None:
    """A run says how far it is while it works, and its files are where the demo's are."""
    _, day, _ = days_of_the_backfill(ui)
    page.goto(f"/assets/audio_records?view=partitions&partition={day}")
    link = page.get_by_role("link", name=re.compile("^[0-9a-f]{8}$")).first
    page.goto(urlsplit(link.get_attribute("href") or "").path)
    page.get_by_text("RUN_SUCCESS").wait_for()
    page.get_by_placeholder("Filter…").fill("answer")
    page.keyboard.press("Enter")
    page.get_by_text(re.compile(f"agent calls of {day} have their answer")).last.wait_for()
    # In the folder of the demo, wherever Dagster's own processes work.
    assert len(list(ui.audio_of(str(day)))) > 10


def report(page: Page, ui: RunningUi) -> None:
    """The picture of a day, and numbers of which Dagster draws lines."""
    _, day, _ = days_of_the_backfill(ui)
    page.goto(f"/assets/daily_report?view=partitions&partition={day}")
    page.get_by_text("seconds_in_the_database").wait_for()
    page.get_by_text("[Show Markdown]").first.click()
    picture = page.get_by_role("img", name="The day")
    picture.wait_for()
    # Drawn, not a frame with a text in it.
    wait_until(lambda: picture.evaluate("picture => picture.naturalWidth") == 1100, 30)


def failing_check(page: Page, ui: RunningUi) -> None:
    """The file that was lost before the backfill is missed, by its name."""
    page.goto("/assets/audio_records?view=checks&checkDetail=stored_files_exist")
    page.get_by_text(re.compile(r"1 stored files are gone: file://.*")).wait_for()
    page.get_by_text("Failed", exact=True).first.wait_for()


def keep_picture(page: Page, ui: RunningUi, file: Path, part: FloatRect | None) -> None:
    """What the page or a part of it shows now, in few colours: a tenth of the size, unseen.

    A document that shows it is not about the machine that made it: its folder gets another name.
    """
    page.wait_for_load_state("networkidle")
    page.evaluate(_RENAME, [str(ui.folder), "/srv/audio-extract"])
    file.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(BytesIO(page.screenshot(animations="disabled", clip=part))) as picture:
        picture.convert("RGB").quantize(_COLORS).save(file, optimize=True)


def _around(boxes: Iterable[FloatRect | None]) -> FloatRect:
    """The smallest part of the page that holds all boxes, and a little margin."""
    corners = [
        (box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"])
        for box in boxes
        if box is not None
    ]
    left, top, right, bottom = (list(edge) for edge in zip(*corners, strict=True))
    x, y = min(left) - _MARGIN, min(top) - _MARGIN
    width, height = max(right) + _MARGIN - x, max(bottom) + _MARGIN - y
    return {"x": x, "y": y, "width": width, "height": height}
