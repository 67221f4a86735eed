"""A real browser in which Alice is signed in, and what every page must pass in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 90_000  # machines are busy
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser():
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright keeps an event loop in this thread
    with sync_playwright() as playwright:
        path = CHROMIUM if Path(CHROMIUM).exists() else None
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(browser, live_server, alice):
    """A page in which Alice is signed in."""
    context = browser.new_context(base_url=live_server.url, color_scheme="light")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto("/")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill("right-password")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(live_server.url + "/")
    yield page
    context.close()
    assert not errors, errors


def faults_of(page, address: str) -> list[object]:
    """What axe finds serious at an address, and whether its page is wider than the screen."""
    page.goto(address)
    return faults(page)


def faults(page, options: dict | None = None) -> list[object]:
    """What axe finds serious on a page as it stands, and whether it is wider than the screen; `options` are axe's."""
    too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    # axe would fetch what style sheets import from beside the page, and put it inline, which the policy forbids
    told_by_axe = Axe().run(page, options={"preload": False} | (options or {})).response["violations"]
    found = [fault for fault in told_by_axe if fault["impact"] in {"serious", "critical"}]
    told: list[object] = [(f["id"], [n["html"] for n in f["nodes"]][:3]) for f in found]
    return [*told, f"{too_wide} px too wide"] if too_wide > 0 else told
