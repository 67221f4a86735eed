"""Passkeys in a real browser with an authenticator of its own: made, signed in with, removed, and no longer known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from console.models import Passkey
from tests.web.browsing import PATIENCE_MS, faults

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PASSWORD = "right-password"
DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture
def local(browser, live_server, alice) -> Iterator[Page]:
    """A page at localhost, as browsers make no passkeys for an IP address."""
    context = browser.new_context(base_url=live_server.url.replace("127.0.0.1", "localhost"), color_scheme="light")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    context.close()
    assert not errors, errors


@pytest.fixture
def device(local) -> Any:
    """What changes the authenticator that the page's browser has."""
    cdp = local.context.new_cdp_session(local)
    cdp.send("WebAuthn.enable")
    key = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]
    return lambda method, **more: cdp.send(f"WebAuthn.{method}", {"authenticatorId": key, **more})


def sign_in(page: Page) -> None:
    page.goto("/accounts/login/?next=/settings/you/")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("/settings/you/")


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("/accounts/login/")


def add(page: Page, name: str) -> None:
    panel = page.locator("[data-passkeys]")
    form = panel.locator("[data-passkey-add]")
    form.get_by_label("Name of the passkey").fill(name)
    form.get_by_label("Your password").fill(PASSWORD)
    form.get_by_role("button", name="Add a passkey").click()


def test_it_is_made_signs_in_and_is_unknown_once_removed(local, device):
    sign_in(local)
    expect(local.locator("[data-passkey-add]").get_by_label("Name of the passkey")).to_have_value("Chrome on Linux")
    add(local, "laptop")
    expect(local.get_by_text("Added the passkey laptop.")).to_be_visible()
    assert faults(local) == []
    sign_out(local)
    local.goto("/accounts/login/?next=/trash/")
    local.get_by_role("button", name="Sign in with a passkey").press("Enter")
    local.wait_for_url("/trash/")
    assert Passkey.objects.get().counter > 0
    local.goto("/settings/you/")
    panel = local.locator("[data-passkeys]")
    panel.get_by_text("Change laptop").click()
    panel.locator("details").get_by_label("Your password").fill(PASSWORD)
    panel.get_by_role("button", name="Remove laptop").click()
    expect(local.get_by_text("Removed the passkey.")).to_be_visible()
    sign_out(local)
    local.get_by_role("button", name="Sign in with a passkey").click()
    expect(local.get_by_role("status")).to_have_text("This passkey is not known here. Sign in with your password.")
    assert faults(local) == []
    assert local.url.endswith("/accounts/login/")


def test_what_fails_in_the_browser_is_said(local, device):
    sign_in(local)
    add(local, "laptop")
    expect(local.get_by_text("Added the passkey laptop.")).to_be_visible()
    said = local.locator("[data-passkeys] [data-said-here]")
    add(local, "again")
    expect(said).to_have_text("This device has a passkey of yours already.")
    local.locator("[data-passkey-add]").get_by_label("Your password").fill("guess")
    local.get_by_role("button", name="Add a passkey").click()
    expect(said).to_have_text("That is not your password; nothing was changed.")
    sign_out(local)
    device("setUserVerified", isUserVerified=False)
    local.get_by_role("button", name="Sign in with a passkey").click()
    expect(local.get_by_role("status")).to_contain_text("it was cancelled")
    expect(local.get_by_role("button", name="Sign in with a passkey")).to_be_focused()


def test_who_has_no_password_confirms_with_the_device(local, device):
    sign_in(local)
    add(local, "laptop")
    expect(local.get_by_text("Added the passkey laptop.")).to_be_visible()
    old = Passkey.objects.get()
    old.pk, old.credential_id, old.name = None, "b2xk", "lost"
    old.save()
    sign_out(local)
    User.objects.filter(username="alice").update(password="!")
    local.goto("/accounts/login/?next=/settings/you/")
    local.get_by_role("button", name="Sign in with a passkey").click()
    local.wait_for_url("/settings/you/")
    local.get_by_text("Change lost").click()
    local.get_by_role("button", name="Remove lost").click()
    expect(local.get_by_text("Removed the passkey.")).to_be_visible()
    local.get_by_text("Change laptop").click()
    local.get_by_role("button", name="Remove laptop").click()
    expect(local.get_by_text("This passkey is your only way in")).to_be_visible()


def test_at_an_ip_address_the_page_leads_to_localhost(local, live_server):
    local.goto(live_server.url.replace("localhost", "127.0.0.1"))
    local.get_by_label("Username").fill("alice")
    local.get_by_label("Password").fill(PASSWORD)
    local.get_by_role("button", name="Sign in", exact=True).click()
    local.get_by_role("link", name="alice").click()
    local.get_by_role("link", name="Passkeys need a name").click()
    local.wait_for_url(live_server.url + "/**")
    expect(local.get_by_role("button", name="Sign in with a passkey")).to_be_visible()


def test_without_javascript_or_passkeys_no_button_promises_them(browser, live_server, local):
    sign_in(local)
    cookies = local.context.cookies()
    local.add_init_script("delete window.PublicKeyCredential")
    local.reload()
    expect(local.get_by_text("This browser has no passkeys")).to_be_visible()
    expect(local.get_by_role("button", name="Add a passkey")).to_be_hidden()
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MS)
    plain = context.new_page()
    plain.goto("/accounts/login/")
    expect(plain.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    context.add_cookies(cookies)
    plain.goto("/settings/you/")
    expect(plain.get_by_text("To add a passkey, JavaScript is needed.")).to_be_visible()
    expect(plain.get_by_role("button", name="Add a passkey")).to_be_hidden()
    context.close()
