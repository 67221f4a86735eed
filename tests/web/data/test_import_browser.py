"""The import's preview in Chromium: cards that follow what one chooses, questions, both themes, a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from console.models import DatasetImportJob
from tests.web.browsing import faults_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
UNCLEAR = "user,item,date,amount\n" + "".join(
    f"u{n % 40},i{n % 60},0{1 + n % 9}/{1 + n % 12:02}/2024,{n % 7}\n" for n in range(400)
)


@pytest.fixture
def preview(page, films, tmp_path):
    """The preview of a file whose dates could be read in two ways."""
    file = tmp_path / "unclear.csv"
    file.write_text(UNCLEAR)
    page.goto("/create/datasets/?group=films")
    page.get_by_label("Files").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/preview/**")
    return page


def test_an_import_starts_once_the_question_is_answered_and_no_card_has_a_gap(preview, films):
    start = preview.get_by_role("button", name="Start import")
    expect(start).to_be_disabled()
    preview.get_by_label("Month first").check()
    expect(start).to_be_enabled(timeout=30_000)
    preview.get_by_label("Who").focus()
    preview.get_by_label("Who").select_option("")
    preview.get_by_text("Choose the column that identifies the user.").wait_for()
    expect(start).to_be_disabled()
    expect(preview.locator("#role-USER_ID")).to_be_focused()  # focus stays where it was
    preview.get_by_label("Who").select_option("user")
    expect(start).to_be_enabled(timeout=30_000)
    expect(preview.get_by_label("Name of user")).to_have_value("USER_ID")
    start.click()
    preview.wait_for_url("**/dataset-import-jobs/**")
    assert DatasetImportJob.objects.get().options["sources"]["TIMESTAMP"]["unit"] == "%m/%d/%Y"


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_preview_fits_and_has_no_serious_accessibility_fault(preview, width, scheme):
    preview.set_viewport_size({"width": width, "height": 900})
    preview.emulate_media(color_scheme=scheme)
    assert faults_of(preview, preview.url) == []
