"""The way to an OpenID provider and back in a real browser, whose policy forbids a form to redirect to another host."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.conftest import person
from tests.web.browsing import faults

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_one_links_signs_out_signs_in_and_unlinks(provider, page, live_server):
    provider.metadata = {"end_session_endpoint": f"{provider.issuer}/end"}
    page.goto("/settings/you/")
    page.locator("#identities").get_by_label("Your password").fill("right-password")
    page.get_by_role("button", name="Link Example ID").click()
    page.get_by_role("link", name="Agree").click()
    page.wait_for_url("**/settings/you/")
    expect(page.get_by_text("Linked. You sign in with Example ID from now on.")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/accounts/login/**")
    page.goto("/trash/")
    assert faults(page) == []
    page.get_by_role("button", name="Sign in with Example ID").click()
    page.get_by_role("link", name="Agree").click()
    page.wait_for_url("**/trash/")
    page.goto("/settings/you/")
    page.get_by_role("button", name="Unlink").click()
    expect(page.get_by_text("This identity opens your user no more.")).to_be_visible()
    page.get_by_role("button", name="Link Example ID").wait_for()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("link", name="Sign out of Example ID, too").wait_for()
    assert faults(page) == []


def test_who_is_refused_reads_why(provider, browser, live_server, account):
    person(account, "alice", "owner")
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Sign in with Example ID").click()
    page.get_by_role("link", name="Agree").click()
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("link", name="Back to sign-in").click()
    page.get_by_role("button", name="Sign in with Example ID").wait_for()
    context.close()
