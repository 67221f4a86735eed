"""The main pages in German in a real browser: nothing of English is left, nothing is cut, charts draw, axe is content."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from console.models import Campaign, SolutionVersion
from console.operations.base import call_by_wire_names
from tests import worlds
from tests.factories import trained
from tests.web.browsing import PATIENCE_MS
from tests.web.browsing import faults as faults_on
from tests.web.wording import ENGLISH, NAMES

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
WIDTHS = (1440, 390)
SAID = """() => {
    const quoted = "pre, code, textarea, script, style, datalist, .kept, [translate=no]";
    const skipped = (node) => node.parentElement.closest(quoted);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const said = [];
    while (walker.nextNode()) if (!skipped(walker.currentNode)) said.push(walker.currentNode.textContent.trim());
    for (const name of ["aria-label", "title", "placeholder", "data-tip", "alt"])
        document.querySelectorAll(`[${name}]`).forEach((part) => part.closest(quoted) || said.push(part.getAttribute(name)));
    return said.filter(Boolean);
}"""
CUT = """() => [...document.querySelectorAll("button:not(.visually-hidden), .btn, th, .tile, .status")]
    .filter((part) => part.offsetParent && getComputedStyle(part).overflow !== "visible" && part.scrollWidth > part.clientWidth + 1)
    .map((part) => part.outerHTML.slice(0, 120))"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def german(browser, live_server, alice):
    """A page whose browser asks for German."""
    context = browser.new_context(base_url=live_server.url, locale="de-DE", color_scheme="light")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("/")
    page.get_by_label("Benutzername").fill("alice")
    page.get_by_label("Passwort").fill("right-password")
    page.get_by_role("button", name="Anmelden", exact=True).click()
    page.wait_for_url(live_server.url + "/")
    yield page
    context.close()
    assert not errors


@pytest.fixture
def served(account, run_jobs) -> Campaign:
    """A campaign over the better of two versions."""
    group = worlds.films(account)
    trained(account, run_jobs, group, "aws-popularity-count", "beliebt")
    version = trained(account, run_jobs, group, "aws-user-personalization", "persoenlich")
    call_by_wire_names("CreateCampaign", account, {"name": "personal", "solutionVersionArn": version})
    return Campaign.objects.get()


def addresses(campaign: Campaign) -> list[str]:
    """The main pages of every family."""
    versions = "".join(f"&version={version.arn_name}" for version in SolutionVersion.objects.all())
    version = campaign.solution_version.arn_name
    return [
        "/dataset-groups/", "/dataset-groups/films/", "/datasets/?group=films", "/create/datasets/?group=films",
        "/datasets/films/ITEMS/", "/schemas/", "/create/filters/?group=films", "/recipes/?group=films",
        "/create/solutions/?group=films&recipe=aws-user-personalization", "/solutions/?group=films",
        "/solutions/persoenlich/", f"/solution-versions/{version}/", f"/compare/?group=films{versions}",
        f"/compare/lengths/?group=films{versions}", f"/compare/anyone/?group=films{versions}&user=u1",
        "/campaigns/?group=films", "/campaigns/personal/?user=u1",
        "/create/batch-inference-jobs/?group=films", "/experiments/?group=films", "/settings/access/", "/settings/health/", "/settings/people/", "/settings/you/",
        "/audit/", "/trash/", "/dataset-groups/films/delete/",
    ]  # fmt: skip


def test_the_main_pages_are_german_and_whole(german, served):
    faults: list[str] = []
    for address in addresses(served):
        answer = german.goto(address)
        assert answer.status == 200, address
        assert german.evaluate("document.documentElement.lang") == "de"
        said = german.evaluate(SAID)
        found = [f"English: {text[:90]}" for text in said if ENGLISH.search(NAMES.sub("", text))]
        for width in WIDTHS:
            german.set_viewport_size({"width": width, "height": 900})
            found += [f"cut at {width}: {html}" for html in german.evaluate(CUT)]
            if (wide := german.evaluate(TOO_WIDE)) > 0:
                found.append(f"{wide} px too wide at {width}")
        found += [f"axe: {one}" for one in faults_on(german)]
        faults += [f"{address}: {fault}" for fault in found]
    assert not faults, "\n".join(faults)


def test_charts_and_forms_keep_numbers_as_machines_read_them(german, served):
    german.goto(f"/solution-versions/{served.solution_version.arn_name}/")
    area = german.locator("[data-chart] .plot-area").first
    area.wait_for()
    expect(area.locator("path, rect, line, circle")).not_to_have_count(0)
    expect(german.locator("svg [x*=','], svg [width*=','], svg [y*=',']")).to_have_count(0)
    german.goto("/create/campaigns/?group=films")
    german.get_by_label("Erkundungsgewicht").first.wait_for()
    assert german.locator("[name=exploration_weight]").get_attribute("value") in {"0.3", "0.30"}
    expect(german.locator("output").first).to_have_text("0,30")


def test_the_language_is_switched_and_kept(german, live_server):
    german.goto("/schemas/")
    german.get_by_role("button", name="English").click()
    german.get_by_role("heading", name="Schemas").wait_for()
    assert german.evaluate("document.documentElement.lang") == "en"
    german.goto("/trash/")
    expect(german.get_by_role("heading", name="Trash")).to_be_visible()
    german.get_by_role("button", name="Deutsch").click()
    german.get_by_role("heading", name="Papierkorb").wait_for()
