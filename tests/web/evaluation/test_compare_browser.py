"""Comparing in a real browser: from versions that must not be compared to a shared test, and on to a single user."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from console.models import SharedEvaluation, SolutionVersion
from tests import worlds
from tests.factories import more_events, trained
from tests.web.browsing import faults_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def query(extra: str = "") -> str:
    names = "".join(f"&version={version.arn_name}" for version in SolutionVersion.objects.all())
    return f"?group=films{names}{extra}"


def test_versions_of_different_data_are_led_to_a_shared_test(page, account, run_jobs):
    group = worlds.films(account)
    trained(account, run_jobs, group, "aws-popularity-count")
    more_events(group, days=1)
    trained(account, run_jobs, group, "aws-sims")
    page.goto(f"/compare/{query()}")
    expect(page.get_by_role("alert").get_by_text("were evaluated on different data").first).to_be_visible()
    expect(page.locator("[data-chart]")).to_have_count(0)
    page.get_by_role("button", name="Re-evaluate on a shared set").click()
    page.wait_for_url("**/shared-evaluations/**")
    run_jobs()
    page.get_by_role("link", name="View the comparison").click(timeout=15_000)
    expect(page.get_by_text("Shared evaluation:")).to_be_visible()
    page.locator("[data-chart=compared] .plot-area").first.wait_for()
    for tab, chart in (("By length", "by-length"), ("Exposure", "lorenz"), ("Segments", "segments-activity")):
        page.get_by_role("navigation", name="What is compared").get_by_role("link", name=tab).click()
        page.locator(f"[data-chart={chart}] .plot-area").first.wait_for()
    page.get_by_role("navigation", name="What is compared").get_by_role("link", name="Users").click()
    page.get_by_label("Order").select_option("HELPED_FIRST")
    page.wait_for_url("**order=HELPED_FIRST**")
    page.locator("tbody a[href*='compare/user/']").first.click()
    page.get_by_role("heading", name="Taken next").wait_for()
    expect(page.locator("li.truth")).not_to_have_count(0)


def test_what_a_comparison_leads_to_fits_and_has_no_serious_accessibility_fault(page, account, run_jobs):
    """Its tabs are looked at by test_every_page_browser."""
    group = worlds.films(account)
    for recipe in ("aws-popularity-count", "aws-sims"):
        trained(account, run_jobs, group, recipe)
    SharedEvaluation.objects.create(account=account, name="shared-1", dataset_group=group, status="CREATE FAILED")
    page.goto(f"/compare/users/{query()}")
    addresses = [
        page.locator("tbody td a[href*='compare/user/']").first.get_attribute("href"),
        "/shared-evaluations/shared-1/",
    ]
    for width in (360, 1280):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            for address in addresses:
                assert faults_of(page, address) == [], (width, scheme, address)
