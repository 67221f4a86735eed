"""Every page with something on it in Chromium: clean by axe, never wider than the screen, in both themes at both widths.

On a phone no table scrolls sideways, and each select that cuts its choice says it whole below.
"""

from __future__ import annotations

import pytest

from tests.web import showcase
from tests.web.browsing import faults

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(1200)]
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
# Previews of files and the numbers behind a chart keep their columns, and pictures of a batch job's answers stand on shelves.
SIDEWAYS = """() => [...document.querySelectorAll(".table-responsive:not([role=region], :has(.answers), .numbers *)")]
    .filter((part) => part.checkVisibility() && part.scrollWidth > part.clientWidth + 1)
    .map((part) => `a table scrolls sideways: ${part.innerText.slice(0, 60)}`)"""
WIDTHS, THEMES = (390, 1440), ("light", "dark")


def faults_everywhere(page, name: str) -> list[str]:
    """The faults of a page in all its looks; the other theme at a width differs in its colours alone."""
    found = []
    for width, (theme, other) in zip(WIDTHS, (THEMES, THEMES[::-1]), strict=True):
        page.set_viewport_size({"width": width, "height": 900})
        for look, options in ((theme, None), (other, CONTRAST)):
            page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", look)
            found += [f"{name} at {width} px, {look}: {fault}" for fault in faults(page, options)]
        if width == WIDTHS[0]:
            found += [f"{name} at {width} px: {fault}" for fault in page.evaluate(SIDEWAYS)]
    return found


def test_every_page_is_clean_and_fits(page, account, counted, run_jobs):
    showcase.hang_posters(page.context)
    page.emulate_media(reduced_motion="reduce")  # colours that fade into the other theme's are neither
    found = []
    for name, address in showcase.build(account, run_jobs).items():
        answer = page.goto(address)
        assert answer.status == 200, address
        found += faults_everywhere(page, name)
    page.goto("/campaigns/front-page/?user=u1")
    page.get_by_role("link", name="Why?").first.click()
    page.get_by_role("dialog").get_by_text("It stands at place").wait_for()
    found += faults_everywhere(page, "drawer")
    assert not found, "\n".join(found)
