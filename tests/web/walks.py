"""Walks of a person through the console, as scripts: what is clicked, in order, with the clicks counted.

`work` runs the jobs that wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from playwright.sync_api import Page

from tests.ingest.dialects.catalogues import catalogue
from tests.ingest.dialects.shops import GERMAN, german
from tests.ingest.dialects.writing import events, table

PIXEL = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
PICTURES = "https://shop.example/"
SAMPLE_CLICKS, SHOP_CLICKS = 4, 12  # at most
Work = Callable[[], None]


class Hand:
    """Clicks on a page and counts them; what is typed is no click."""

    def __init__(self, page: Page) -> None:
        """Begin with none."""
        self.page, self.clicks = page, 0

    def click(self, role: str, name: str, *, exact: bool = False) -> None:
        """Click the first element of that role and name."""
        self.clicks += 1
        self.page.get_by_role(role, name=name, exact=exact).first.click()  # type: ignore[arg-type]
        self.page.wait_for_load_state("load")

    def follow(self, address: str) -> None:
        """Click the first link whose address ends so."""
        self.clicks += 1
        self.page.locator(f"a[href$='{address}']").first.click()
        self.page.wait_for_load_state("load")

    def choose(self, files: Sequence[Path]) -> None:
        """A click on the file field and a choice in the dialog."""
        self.clicks += 1
        self.page.get_by_label("Files").set_input_files(files)


def sample_walk(page: Page, title: str, work: Work) -> int:
    """From the empty console to a personal list of the sample of that title; the clicks it takes."""
    hand = Hand(page)
    page.goto("/")
    hand.click("button", title)
    page.wait_for_url("**/samples/**")
    work()
    hand.click("link", "Get recommendations")
    page.wait_for_url("**/campaigns/**")
    page.locator(".picks li").nth(4).wait_for()
    page.get_by_role("link", name="Why?").first.wait_for()
    return hand.clicks


def shop_walk(page: Page, files: Sequence[Path], user: str, work: Work) -> int:
    """From the empty console and a shop's export to a personal list with pictures; the clicks it takes."""
    page.route(f"{PICTURES}**", lambda route: route.fulfill(body=PIXEL, content_type="image/gif"))
    hand = Hand(page)
    page.goto("/")
    hand.click("link", "Create dataset group")
    page.get_by_label("Name").fill("shop")
    hand.click("button", "Create dataset group")
    hand.click("link", "Import interactions")
    hand.choose(files)
    hand.click("button", "Upload")
    page.wait_for_url("**/preview/**")
    hand.click("button", "Start 2 imports")
    page.wait_for_url("**/dataset-import-jobs/**")
    work()
    hand.click("link", "Choose a recipe")
    hand.follow("recipe=aws-user-personalization")
    page.get_by_label("Name", exact=True).fill("personal")
    hand.click("button", "Train", exact=True)
    work()
    hand.click("link", "Create campaign")
    page.get_by_label("Name", exact=True).fill("front-page")
    hand.click("button", "Create campaign")
    page.get_by_label("User", exact=True).fill(user)
    hand.click("button", "Get recommendations")
    page.locator(f".picks img[src^='{PICTURES}']").nth(9).wait_for()
    return hand.clicks


def shop_export(folder: Path) -> list[Path]:
    """Orders in cp1252 with semicolons, German dates and euros; products with a byte-order mark, categories and pictures."""
    orders, products = folder / "orders.csv", folder / "products.csv"
    rows = [german(event) for event in events(1500, users=60, items=80)]
    for row in rows[::17]:
        row[1] = ""  # people who ordered as guests
    orders.write_bytes(table(GERMAN, rows, ";", encoding="cp1252"))
    header = ["Artikelnr.", "Bezeichnung", "Kategorien", "VK-Preis", "Bild-URL", "Angelegt am"]
    products.write_bytes(catalogue(header, ";", ",", "%d.%m.%Y", bom=True))
    return [orders, products]
