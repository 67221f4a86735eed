"""The walks that the documents lead a newcomer through are those that the code takes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from recipes.methods.user_personalization import UserPersonalization
from recipes.run import Run
from tests.factories import call, make_campaign, trained
from tests.recipes.worlds import tasteful
from tests.worlds import films

ROOT = Path(__file__).resolve().parents[2]


def walk(work: Callable[[], object], folders: tuple[str, ...]) -> list[str]:
    """The files below the folders of which `work` calls a function, in the order of their first calls."""
    files: dict[str, None] = {}

    def note(frame, event, _):
        if event == "call":
            files.setdefault(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    own = (name.removeprefix(f"{ROOT}/") for name in files)
    return [name for name in own if name.startswith(folders)]


def written(page: str, heading: str, package: str) -> list[str]:
    """The files of a package that a numbered list of a document names, one a line."""
    section = (ROOT / "docs" / page).read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    listed = re.findall(r"^\d+\. \[`([^`]+)`\]\(\.\./([^)]+)\): ", section, re.MULTILINE)
    assert all(package + name == path for name, path in listed)
    return [path for _, path in listed]


def test_a_recommendation(account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-user-personalization")
    campaign = make_campaign(account, version)

    def ask(user: str):
        return call("GetRecommendations", account, campaign_arn=campaign, user_id=user)

    ask("u1")  # what is loaded and kept the first time
    own = ("console/serving/", "console/operations/serving/")
    assert walk(lambda: ask("u2"), own) == written("architecture.md", "A request", "console/")


def test_a_fit():
    data, recipe = tasteful(60, 40), UserPersonalization(mode="fast")
    own = ("recipes/methods/", "recipes/stacking/", "recipes/data.py", "recipes/components/fit_context.py")
    assert walk(lambda: recipe.fit(data, Run()), own) == written("recipes.md", "6. The walk of a fit", "recipes/")
