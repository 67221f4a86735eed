"""`make screenshots`: the pages in docs/screenshots, and the playground as the README's animated picture.

`SCREENSHOTS=FOLDER make screenshots` puts every page in both themes at both widths there instead, to be looked at; `SPEAKING=de` in German.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image
from playwright.sync_api import Page

from tests.web import showcase

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
FOLDER = Path(settings.BASE_DIR) / "docs" / "screenshots"
SHOWN = {
    "overview": (1440, "light"), "compare": (1440, "light"), "segments": (1440, "dark"), "playground": (390, "light"),
    "version": (390, "dark"), "exploration": (1440, "light"), "batch": (390, "light"), "experiment": (1440, "dark"),
    "health": (390, "dark"),
}  # fmt: skip
FLAT, SHADES = 48, 112  # colours that most of a page has, which stay as they are, and those for the rest
FRAME = {"width": 1440, "height": 1330}  # the lists and the shelf below them
SCALE = 0.7
WORDS = (700, 1600)  # milliseconds that a frame stands: on the way, and where there is something to read


@pytest.fixture
def addresses(page, account, counted, run_jobs) -> dict[str, str]:
    """Those of the showcase."""
    showcase.hang_posters(page.context)
    return showcase.build(account, run_jobs)


def seen(page: Page, width: int, theme: str, *, whole: bool = False) -> Image.Image:
    """The page as it looks."""
    page.set_viewport_size({"width": width, "height": 900 if width > 600 else 844})
    page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", theme)
    page.wait_for_load_state("networkidle")
    return Image.open(io.BytesIO(page.screenshot(full_page=whole, animations="disabled")))


def save(picture: Image.Image, path: Path) -> None:
    """Write a picture small: few colours are enough for pages, of which the grounds keep theirs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = picture.convert("RGB")
    most = sorted(picture.getcolors(picture.width * picture.height), reverse=True)[:FLAT]
    shades = picture.quantize(SHADES, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).getpalette()
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, colour in most for part in colour] + shades[: 3 * SHADES])
    picture.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


def test_pages(page, addresses):
    folder = os.environ.get("SCREENSHOTS")
    page.context.add_cookies([{"name": "language", "value": os.environ.get("SPEAKING", "en"), "url": page.url}])
    for name, address in addresses.items():
        if folder is None and name not in SHOWN:
            continue
        page.goto(address)
        looks = [SHOWN[name]] if folder is None else [(w, t) for w in (390, 1440) for t in ("light", "dark")]
        for width, theme in looks:
            target = FOLDER / f"{name}.png" if folder is None else Path(folder) / f"{name}-{width}-{theme}.png"
            save(seen(page, width, theme, whole=folder is not None), target)


def test_the_playground_moves(page, addresses):
    """A person clicks films on the shelf, and the list follows; then more is explored, and an item is explained."""
    page.set_viewport_size(FRAME)
    page.goto(addresses["playground"])
    frames: list[tuple[Image.Image, int]] = []

    def frame(milliseconds: int) -> None:
        page.wait_for_load_state("networkidle")
        picture = Image.open(io.BytesIO(page.screenshot(caret="initial"))).convert("RGB")
        picture = picture.resize((int(FRAME["width"] * SCALE), int(FRAME["height"] * SCALE)), Image.Resampling.LANCZOS)
        frames.append((picture, milliseconds))

    frame(WORDS[1])
    for place in (3, 7, 5):
        item = page.locator(".shelf button").nth(place)
        item.hover()
        frame(WORDS[0])
        with page.expect_response("**/event/**"):
            item.click()
        page.locator(".picks .move").first.wait_for()
        page.mouse.move(0, 0)
        frame(WORDS[1])
    page.get_by_role("link", name="Why?").first.click()
    page.get_by_role("dialog").get_by_text("It stands at place").wait_for()
    frame(WORDS[1])
    first, *rest = [picture for picture, _ in frames]
    path = FOLDER / "playground.webp"
    path.parent.mkdir(parents=True, exist_ok=True)
    durations = [milliseconds for _, milliseconds in frames]
    first.save(path, save_all=True, append_images=rest, duration=durations, loop=0, quality=70, method=6)
    assert path.stat().st_size < 1_000_000
