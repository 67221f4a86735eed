"""Choosing how items are shown: the page, what it changes elsewhere, and pictures that do not load."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from console.models import Dataset
from tests.factories import call, trained
from tests.worlds import films

PICTURE = "https://images.example/{ITEM_ID}.jpg"


@pytest.fixture
def items(account, run_jobs) -> Dataset:
    """Items of a group with a campaign."""
    group = films(account)
    version = trained(account, run_jobs, group, "aws-popularity-count")
    call("CreateCampaign", account, name="c", solution_version_arn=version)
    return group.datasets.get(type="ITEMS")


def test_what_is_chosen_is_shown_in_the_panel(alice, items):
    address = f"/datasets/{items.arn_name}/display/"
    assert f'href="{address}"' in alice.get(f"/datasets/{items.arn_name}/").text
    before = alice.get(address)
    assert "By name (TITLE)" in before.text
    assert len(before.context["items"]) == 6
    members = {"title_column": "GENRES", "subtitle_columns": ["PRICE"], "picture": PICTURE}
    after = alice.post(address, members, follow=True)
    assert "Items are now shown this way" in after.text
    assert after.context["items"][0]["picture"].startswith("https://images.example/i")
    panel = alice.get("/campaigns/c/?user=u1&other=").context["lists"][0].items
    assert panel[0]["picture"] == f"https://images.example/{panel[0]['itemId']}.jpg"
    wrong = alice.post(address, {"picture": "https://images.example/{NOPE}.jpg"})
    assert "NOPE is no column" in wrong.context["form"].errors["picture"][0]


def test_viewers_and_strangers_do_not_choose(vera, charlie, items):
    address = f"/datasets/{items.arn_name}/display/"
    assert vera.get(address).status_code == 403
    assert charlie.get(address).status_code == 404


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_picture_that_does_not_load_leaves_its_letter(page, items):
    call("UpdateItemDisplay", items.account, dataset_arn=items.arn, picture="/static/none/{ITEM_ID}.jpg")
    page.goto(f"/datasets/{items.arn_name}/display/")
    expect(page.locator(".thumb img")).to_have_count(0)
    expect(page.locator(".thumb").first).to_have_text(re.compile("^F"))
