"""How long the server takes for each page of a large account, and what a cold load of the comparison weighs.

python -m benchmarks.pages [--items 100000] [--solutions 1000] [--write]

A server of its own holds a group with so many items and solutions, each of which has a version, and one solution with as many versions;
otherwise the account is the one in which everything has happened (`tests/web/showcase.py`). Pages are asked for over HTTP one after
another, the first answer is not counted; the cold load is Chromium's, with an empty cache.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import django
import requests
from playwright.sync_api import Page, sync_playwright

from benchmarks.datasets import ROOT
from tests.e2e import server as servers

CHROMIUM = "/usr/bin/chromium"
RESULTS = ROOT / "benchmarks" / "results" / "pages.md"
USERS, EACH = 1000, 24
TIMES = 7
GOAL_MS, GOAL_BYTES, GOAL_COLD_MS = 150, 1_500_000, 1500
JOB_S = 1200


@dataclass(frozen=True)
class Timed:
    """A page's median and slowest milliseconds, and its bytes as sent."""

    name: str
    median_ms: float
    slowest_ms: float
    size_bytes: int


def main() -> None:
    """Measure, print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--solutions", type=int, default=1000)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = servers.start(Path(folder))
        try:
            addresses = fill(Path(folder), asked.items, asked.solutions)
            with sync_playwright() as playwright:
                path = CHROMIUM if Path(CHROMIUM).exists() else None
                browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
                page = sign_in(browser.new_page(base_url=server.url), server)
                cookies = {one["name"]: one["value"] for one in page.context.cookies()}
                rows = [timed(name, server.url + address, cookies) for name, address in addresses.items()]
                cold = {name: cold_load(page, addresses[name]) for name in ("compare", "playground", "overview")}
                browser.close()
        finally:
            servers.stop(server)
    text = table(rows, cold, asked.items, asked.solutions)
    print(text)
    if asked.write:
        RESULTS.write_text(text)


def fill(folder: Path, items: int, solutions: int) -> dict[str, str]:
    """Put everything into the server's database, trained by its workers; addresses by what they show."""
    os.environ |= {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "console.settings"}
    django.setup()
    from console.models import JOBS, Account, SolutionVersion
    from tests.web import showcase

    def run_jobs() -> None:
        servers.wait_until(
            lambda: (
                not any(
                    model.objects.filter(status__in=(model.waiting, model.running)).exists() for model in JOBS.values()
                )
            ),
            JOB_S,
        )

    account = Account.objects.get()
    addresses = showcase.build(account, run_jobs, users=USERS, items=items, each=EACH)
    showcase.tune(account, run_jobs)
    multiply(SolutionVersion.objects.get(solution__name="user-personalization"), solutions)
    return addresses | more_addresses()


def multiply(version, count: int) -> None:
    """As many solutions with one version each, and as many versions of one solution, all with that version's report."""
    from console.models import Solution, SolutionVersion

    like = version.solution
    made = Solution.objects.bulk_create(
        Solution(
            account=like.account,
            name=f"personal-{n:04}",
            dataset_group=like.dataset_group,
            recipe=like.recipe,
            status=like.status,
        )
        for n in range(count)
    )
    owners = [*made, *[made[0]] * count]
    SolutionVersion.objects.bulk_create(
        SolutionVersion(
            account=like.account, solution=owner, identifier=f"{n:08x}", status=version.status, recipe=version.recipe,
            training_mode="FULL", report=version.report, metrics=version.metrics, progress=version.progress, artefact=version.artefact,
        )
        for n, owner in enumerate(owners)
    )  # fmt: skip


def more_addresses() -> dict[str, str]:
    """Pages that are long because there is much, besides the showcase's."""
    return {
        "home": "/",
        "solution with all versions": "/solutions/personal-0000/",
        "compare: choose": "/compare/?group=cinema",
        "solutions: last page": "/solutions/?group=cinema&page=40",
        "solutions: search": "/solutions/?group=cinema&q=0999",
        "experiment-form: a campaign": "/create/experiments/?campaign=newsletter",
        "segment-form": "/create/batch-segment-jobs/?group=cinema",
        "records": "/campaigns/front-page/?user=u1&other=newsletter",
        "items while typing": "/campaigns/front-page/items/?added=The",
        "users while typing": "/campaigns/front-page/users/?user=u1",
    }


def sign_in(page: Page, server: servers.Server) -> Page:
    """Alice's page."""
    page.goto("/")
    page.get_by_label("Username").fill(server.username)
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(server.url + "/")
    return page


def timed(name: str, url: str, cookies: dict[str, str]) -> Timed:
    """A page's times, the first left out."""
    found = []
    with requests.Session() as session:
        session.cookies.update(cookies)
        for _ in range(TIMES + 1):
            began = time.perf_counter()
            answer = session.get(url, headers={"Accept-Encoding": "gzip"}, stream=True)
            body = answer.raw.read()
            found.append(1000 * (time.perf_counter() - began))
            if answer.status_code != 200:
                name = f"{name} ({answer.status_code})"
    return Timed(name, statistics.median(found[1:]), max(found[1:]), len(body))


def cold_load(page: Page, address: str) -> tuple[float, int]:
    """Milliseconds until everything of a page is there, with an empty cache, and the bytes that came."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.clearBrowserCache")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.route("https://**", lambda route: route.abort())
    page.goto(address)
    page.wait_for_load_state("networkidle")
    took = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    session.detach()
    return float(took), int(sum(sizes))


def table(rows: list[Timed], cold: dict[str, tuple[float, int]], items: int, solutions: int) -> str:
    """The measurements as a page of Markdown, the slowest page first."""
    over = [row for row in rows if row.median_ms > GOAL_MS]
    lines = [
        f"# Pages with {items:,} items, {solutions:,} solutions and {2 * solutions:,} versions", "",
        f"Median of {TIMES} requests over HTTP; load {os.getloadavg()[0]:.1f}. {len(over)} of {len(rows)} pages take more than {GOAL_MS} ms.", "",
        "| page | median, ms | slowest, ms | KB sent |", "|--|--:|--:|--:|",
        *(f"| {row.name} | {row.median_ms:.0f} | {row.slowest_ms:.0f} | {row.size_bytes / 1000:.0f} |"
          for row in sorted(rows, key=lambda row: -row.median_ms)),
        "", f"Cold, in Chromium (goals {GOAL_COLD_MS} ms, {GOAL_BYTES / 1e6} MB):", "", "| page | loaded, ms | KB |", "|--|--:|--:|",
        *(f"| {name} | {took:.0f} | {size / 1000:.0f} |" for name, (took, size) in cold.items()), "",
    ]  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    main()
