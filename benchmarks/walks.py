"""A person's walks from the empty console to a personal list, clicked in Chromium against a server with its workers: clicks and seconds.

python -m benchmarks.walks [--orders orders.csv --products products.csv --user 100003] [--cache FOLDER] [--write]

Each walk has a server of its own with an empty folder; its seconds begin once one is signed in. Processor seconds are those of all the
server's processes meanwhile, which say what the walk takes where other work goes on beside it. Without files the shop's export is made
up. `--cache` is a folder with the downloaded MovieLens 100K, so that the network is not measured.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.datasets import ROOT
from tests.e2e import server as servers
from tests.web.walks import SAMPLE_CLICKS, SHOP_CLICKS, sample_walk, shop_export, shop_walk

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 900_000
RESULTS = ROOT / "benchmarks" / "results" / "walks.md"
TICKS = os.sysconf("SC_CLK_TCK")
Walk = Callable[[Page], int]


@dataclass(frozen=True)
class Taken:
    """What a walk took: clicks and at most how many are allowed, seconds, processor seconds, the machine's load."""

    walk: str
    clicks: int
    most: int
    seconds: float
    cpu_s: float
    load: float


def main() -> None:
    """Take the walks, print a JSON line for each, and write the table if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=Path)
    parser.add_argument("--products", type=Path)
    parser.add_argument("--user", default="100003")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--only", default="", help="a word of the walks' names")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = [asked.orders, asked.products] if asked.orders and asked.products else shop_export(Path(folder))
        walks: dict[str, tuple[int, Walk]] = {
            "Streaming demo to a list": (SAMPLE_CLICKS, lambda page: sample_walk(page, "Streaming demo", _nothing)),
            "MovieLens 100K to a list": (SAMPLE_CLICKS, lambda page: sample_walk(page, "MovieLens 100K", _nothing)),
            "Shop export to a list with pictures": (
                SHOP_CLICKS,
                lambda page: shop_walk(page, files, asked.user, _nothing),
            ),
        }
        rows = []
        for name, (most, walk) in walks.items():
            if asked.only in name:
                rows.append(_taken(name, most, walk, asked.cache))
                print(json.dumps(asdict(rows[-1])), flush=True)
    if asked.write:
        RESULTS.write_text(table(rows))


def table(rows: Iterable[Taken]) -> str:
    """The walks as a page of Markdown."""
    head = [
        "# Walks",
        "",
        "| from the empty console | clicks | at most | seconds | processor seconds | load |",
        "|--|--:|--:|--:|--:|--:|",
    ]
    lines = [
        f"| {row.walk} | {row.clicks} | {row.most} | {row.seconds:.0f} | {row.cpu_s:.0f} | {row.load:.1f} |"
        for row in rows
    ]
    return "\n".join([*head, *lines, ""])


def cpu_seconds(pids: Iterable[int]) -> float:
    """The processor seconds that processes and those of their children that have ended have taken so far."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return ticks / TICKS


def _nothing() -> None:
    """The server's workers run the jobs."""


def _taken(name: str, most: int, walk: Walk, cache: Path | None) -> Taken:
    """A walk on a server of its own; signing in is not counted."""
    with _signed_in(cache) as (page, server):
        began, before = time.monotonic(), cpu_seconds(server.pids())
        clicks = walk(page)
        seconds = time.monotonic() - began
        return Taken(
            name, clicks, most, round(seconds, 1), round(cpu_seconds(server.pids()) - before, 1), os.getloadavg()[0]
        )


@contextmanager
def _signed_in(cache: Path | None) -> Iterator[tuple[Page, servers.Server]]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        if cache:
            shutil.copytree(cache, Path(folder) / "cache" / "movielens-100k")
        server = servers.start(Path(folder))
        try:
            with sync_playwright() as playwright:
                path = CHROMIUM if Path(CHROMIUM).exists() else None
                browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
                page = browser.new_page(base_url=server.url)
                page.set_default_timeout(PATIENCE_MS)
                page.goto("/")
                page.get_by_label("Username").fill(server.username)
                page.get_by_label("Password").fill(server.password)
                page.get_by_role("button", name="Sign in", exact=True).click()
                page.wait_for_url(server.url + "/")
                yield page, server
                browser.close()
        finally:
            servers.stop(server)


if __name__ == "__main__":
    main()
