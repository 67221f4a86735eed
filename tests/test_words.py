"""One name for one thing, the field's own: words that were retired do not come back, and no two classes share a name."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Migrations stay as they were written.
HELD = sorted(
    path
    for folder, kinds in {"recipes": "py", "console": "py", "templates": "html", "static": "js css"}.items()
    for kind in kinds.split(" ")
    for path in (ROOT / folder).rglob(f"*.{kind}")
    if not path.is_relative_to(ROOT / "console" / "migrations")
)
ENGINE = [path for path in HELD if path.relative_to(ROOT).parts[0] == "recipes"]
# retired word: what to say instead
RETIRED = {
    "audience": "user ridge",
    "circumstance": "context",
    "company": "co-occurrence",
    "doubt": "shrinkage",
    "fewest": "min_…",
    "foretell": "predict",
    "foretold": "predicted",
    "heard": "counted",
    "hurried": "fast",
    "judge": "evaluate",
    "judged": "evaluated",
    "judging": "evaluating",
    "leftover": "scratch file",
    "likeness": "similarity",
    "loudness": "weight norm",
    "remembered": "cached",
    "remembering": "caching",
    "speaker": "neighbour",
    "spoken": "scored",
    "stranger": "unknown user",
    "told": "observed, reported",
    "workshop": "FitContext",
}
EXCUSED = {
    "recipes/stacking/format_2.py": {"audience", "remembered"},  # reads what was written with the old names
    "recipes/cli/train.py": {"told"},  # a key of the manifest
    "console/serving/traffic.py": {"remembered"},  # a member of the wire
    "console/operations/evaluation/segments.py": {"judged", "told"},  # an operation and a member of the wire
    "console/alerts.py": {"told"},  # a column
    "console/models/alerts.py": {"told"},  # a column
    "console/runners/fitting.py": {"judged"},  # a key of reports
    "console/web/evaluation/report.py": {"judged"},  # the same
    "console/web/evaluation/distribution.py": {"judged", "told"},  # an operation and a member of the wire
    "console/web/evaluation/experiment_forms.py": {"fewest"},  # of users, in a sentence
    "templates/evaluation/compare/anyone.html": {"fewest"},  # of events, in a sentence
    "templates/serving/campaigns/_panel.html": {"fewest"},  # of events, in a sentence
    "templates/serving/campaigns/_traffic.html": {"remembered"},  # a member of the wire
    "templates/serving/campaigns/exploration.html": {"audience"},  # whoever reads or listens, in a sentence
}


def words(path: Path) -> set[str]:
    """Words of a file, those inside of names too: `JudgedUsers` has judged and users."""
    text = re.sub(r"([a-z])([A-Z])", r"\1 \2", path.read_text())
    found = set(re.findall(r"[a-z]+", text.lower()))
    return found | {word.removesuffix("s") for word in found}


@pytest.mark.parametrize("path", HELD, ids=lambda path: str(path.relative_to(ROOT)))
def test_retired_words_do_not_come_back(path):
    found = words(path) & RETIRED.keys() - EXCUSED.get(str(path.relative_to(ROOT)), set())
    assert not {f"{word}: say {RETIRED[word]}" for word in found}


def test_every_excuse_is_needed():
    unneeded = {name: excused - words(ROOT / name) for name, excused in EXCUSED.items()}
    assert not {name: excused for name, excused in unneeded.items() if excused}


def test_no_two_classes_of_the_engine_share_a_name():
    """But those of estimators.py, which are what notebooks call the recipes' own."""
    counts: Counter[str] = Counter()
    for path in ENGINE:
        if path.stem == "estimators":
            continue
        body = ast.parse(path.read_text()).body
        counts.update(node.name for node in body if isinstance(node, ast.ClassDef) and node.name[0] != "_")
    assert {name for name, count in counts.items() if count > 1} == set()
