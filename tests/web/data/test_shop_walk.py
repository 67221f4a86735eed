"""A shop's export, as its system writes it, to a personal list with pictures: by clicking, and the clicks are counted."""

from __future__ import annotations

import json

import pytest

from console.models import Dataset
from tests.ingest.dialects.catalogues import catalogue
from tests.ingest.dialects.shops import GERMAN, german
from tests.ingest.dialects.writing import events, table

MOST_CLICKS = 12
PIXEL = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def export(tmp_path):
    """Orders in cp1252 with semicolons, German dates and euros; products with a byte-order mark, categories and pictures."""
    orders, products = tmp_path / "orders.csv", tmp_path / "products.csv"
    rows = [german(event) for event in events(1500, users=60, items=80)]
    for row in rows[::17]:
        row[1] = ""  # people who ordered as guests
    orders.write_bytes(table(GERMAN, rows, ";", encoding="cp1252"))
    header = ["Artikelnr.", "Bezeichnung", "Kategorien", "VK-Preis", "Bild-URL", "Angelegt am"]
    products.write_bytes(catalogue(header, ";", ",", "%d.%m.%Y", bom=True))
    return [orders, products]


class Hand:
    """Clicks on a page and counts them."""

    def __init__(self, page) -> None:
        self.page, self.clicks = page, 0

    def click(self, role: str, name: str, **options: object) -> None:
        self.clicks += 1
        self.page.get_by_role(role, name=name, **options).first.click()
        self.page.wait_for_load_state("load")

    def follow(self, address: str) -> None:
        """Click the first link whose address ends so."""
        self.clicks += 1
        self.page.locator(f"a[href$='{address}']").first.click()
        self.page.wait_for_load_state("load")

    def choose(self, files) -> None:
        """A click on the file field and a choice in the dialog."""
        self.clicks += 1
        self.page.get_by_label("Files").set_input_files(files)


def test_a_shop_export_becomes_a_personal_list_with_pictures(page, export, run_jobs):
    page.route("https://shop.example/**", lambda route: route.fulfill(body=PIXEL, content_type="image/gif"))
    hand = Hand(page)
    hand.click("link", "Create dataset group")
    page.get_by_label("Name").fill("shop")
    hand.click("button", "Create dataset group")
    hand.click("link", "Import interactions")
    hand.choose(export)
    hand.click("button", "Upload")
    page.wait_for_url("**/preview/**")
    hand.click("button", "Start 2 imports")
    page.wait_for_url("**/dataset-import-jobs/**")
    run_jobs()
    page.get_by_role("link", name="Choose a recipe").first.wait_for()
    assert {row.type: row.rows for row in Dataset.objects.all()} == {"INTERACTIONS": 1411, "ITEMS": 90}
    hand.click("link", "Choose a recipe")
    hand.follow("recipe=aws-user-personalization")
    page.get_by_label("Name", exact=True).fill("personal")
    hand.click("button", "Train", exact=True)
    run_jobs()
    hand.click("link", "Create campaign")
    page.get_by_label("Name", exact=True).fill("front-page")
    hand.click("button", "Create campaign")
    run_jobs()
    page.reload()
    page.get_by_label("User", exact=True).fill("100003")
    hand.click("button", "Get recommendations")
    pictures = page.locator(".picks img[src^='https://shop.example/p/']")
    pictures.first.wait_for()
    assert pictures.count() >= 10
    assert hand.clicks <= MOST_CLICKS
    assert json.loads(Dataset.objects.get(type="ITEMS").schema.text)["fields"]
