"""The test panel in a real browser: the drawer of "Why?", and the focus."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from console.operations.base import call_by_wire_names
from tests import worlds
from tests.factories import trained

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def campaign(account, run_jobs):
    version = trained(account, run_jobs, worlds.films(account), "aws-user-personalization")
    config = {"itemExplorationConfig": {"explorationWeight": "0"}}  # the first is then the most relevant
    members = {"name": "up", "solutionVersionArn": version, "campaignConfig": config}
    call_by_wire_names("CreateCampaign", account, members)


@pytest.mark.parametrize("width", [390, 1280])
def test_why_is_a_drawer_and_gives_the_focus_back(page, campaign, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/campaigns/up/?user=u1")
    why = page.get_by_role("link", name="Why?").first
    why.focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog")
    drawer.get_by_text("It stands at place").wait_for()
    box = drawer.bounding_box()
    assert box["x"] + box["width"] == width
    assert (box["x"] == 0) is (width == 390)
    assert "/why/" not in page.url
    page.keyboard.press("Escape")
    drawer.wait_for(state="hidden")
    expect(why).to_be_focused()


def test_the_first_why_is_within_15_tab_stops(page, campaign):
    page.goto("/campaigns/up/?user=u1")
    stops = 0
    while page.evaluate("document.activeElement.textContent.trim()") != "Why?":
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('skip')"):
            page.keyboard.press("Enter")
            stops += 1
        stops += 1
        assert stops <= 15


def test_a_slider_that_moves_on_keeps_its_value_and_the_focus(page, campaign):
    page.goto("/campaigns/up/?user=u1")
    weight = page.locator("#weight")
    weight.focus()
    start = float(weight.input_value())
    for _ in range(2):
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        page.wait_for_timeout(300)  # as a person who looks up
    page.wait_for_url(f"**weight={start + 0.3:.1f}&**")
    expect(page.locator(".results")).to_contain_text(f"weight {start + 0.3:.1f}")
    expect(weight).to_be_focused()
    expect(weight).to_have_value(f"{start + 0.3:.1f}")


def test_a_weight_is_written_the_same_before_and_after_a_pick(page, campaign):
    page.goto("/campaigns/up/")
    shown = page.locator("[data-output-of=weight]")
    expect(shown).to_have_text("0.00")
    page.get_by_role("button", name="Heavy").click()
    page.locator(".picks li").first.wait_for()
    expect(shown).to_have_text("0.00")


def test_the_focus_stays_where_it_was_when_the_panel_is_sent_again(page, campaign):
    page.goto("/campaigns/up/?user=u1")
    count = page.get_by_label("Results")
    count.fill("7")
    count.press("Enter")
    page.locator(".picks li:nth-child(7)").first.wait_for()
    page.wait_for_url("**count=7**")
    expect(page.locator("#count")).to_be_focused()
