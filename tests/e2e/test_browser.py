"""The main job as a person does it: a real browser against a real server, from sign-in to a recommendation list."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import world
from tests.e2e.server import Server
from tests.web.browsing import PATIENCE_MS

SECOND = 1000


@pytest.fixture
def page(browser, server):
    context = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    _sign_in(opened, server)
    yield opened
    context.close()


def _sign_in(page: Page, server: Server) -> None:
    page.goto("/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    page.get_by_label("Username").fill(server.username)
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Dataset groups")).to_be_visible()


def _drop(page: Page, name: str, text: str) -> None:
    """Drop a file on the drop zone, as the desktop does."""
    transfer = page.evaluate_handle(
        "([name, text]) => { const t = new DataTransfer(); t.items.add(new File([text], name, {type: 'text/csv'})); return t }",
        [name, text],
    )
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": transfer})


def _events_csv() -> str:
    """Columns and separator of somebody's own, ISO times: nothing that AWS would take."""
    rows = ["Customer;Film;Watched at;Action"]
    for user, item, time, event in world.interactions():
        rows.append(f"{user};{item};{_iso(time)};{event}")
    return "\n".join(rows) + "\n"


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_whole_flow_by_clicking(page):
    page.get_by_role("link", name="Create dataset group").first.click()
    page.get_by_label("Name").fill("clicked")
    page.get_by_role("button", name=re.compile("Create")).click()
    expect(page.get_by_role("heading", name="clicked", level=1)).to_be_visible()

    page.goto("/dataset-groups/clicked/")
    page.get_by_role("link", name="Import interactions").first.click()
    _drop(page, "views.csv", _events_csv())
    upload = page.get_by_role("button", name="Upload", exact=True)
    if upload.is_visible():
        upload.click()
    page.get_by_role("button", name="Start import").click()
    expect(page.get_by_text("Active").first).to_be_visible(timeout=60 * SECOND)
    expect(page.get_by_text("2,000").filter(visible=True).first).to_be_visible()

    page.goto("/create/solutions/?group=clicked&recipe=aws-user-personalization")
    page.get_by_label("Name", exact=True).fill("clicked-personal")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page).to_have_url(re.compile("/solution-versions/clicked-personal/"))
    expect(page.get_by_role("heading", name=re.compile("^Metrics"))).to_be_visible(timeout=240 * SECOND)
    expect(page.get_by_text("NDCG at 10").first).to_be_visible()

    page.get_by_role("link", name="Create campaign").first.click()
    page.get_by_label("Name", exact=True).fill("clicked-campaign")
    page.get_by_role("button", name="Create campaign").click()
    expect(page.get_by_role("heading", name="clicked-campaign", level=1)).to_be_visible()
    page.get_by_label("User", exact=True).fill("user-0")
    page.get_by_role("button", name="Get recommendations").last.click()
    expect(page.locator(".picks").nth(1).locator("li").first).to_be_visible()
    titles = page.locator(".picks").nth(1).locator("li").all_inner_texts()
    assert sum(world.taste_of(0) in title for title in titles) > len(titles) / 2
    expect(page.get_by_role("heading", name=re.compile("^History"))).to_be_visible()


def test_a_file_that_is_no_csv_is_refused_with_a_sentence(page):
    page.goto("/create/dataset-groups/")
    page.get_by_label("Name").fill("refused")
    page.get_by_role("button", name=re.compile("Create")).click()
    page.goto("/dataset-groups/refused/")
    page.get_by_role("link", name="Import interactions").first.click()
    page.get_by_label("Files").set_input_files(
        {"name": "x.csv", "mimeType": "text/csv", "buffer": b"PK\x03\x04\x00\x00\x00" * 90}
    )
    upload = page.get_by_role("button", name="Upload", exact=True)
    if upload.is_visible():
        upload.click()
    expect(page.get_by_text("looks like ZIP but cannot be unpacked")).to_be_visible()


def test_a_phone_needs_no_sideways_scrolling(page):
    page.set_viewport_size({"width": 360, "height": 780})
    for path in ("/", "/dataset-groups/", "/solutions/", "/campaigns/", "/compare/", "/recipes/"):
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, f"{path} is {width} px wide"
